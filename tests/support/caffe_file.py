"""Writes .caffemodel files for tests, byte by byte, and runs their net in Caffe's terms."""

import struct

import numpy as np
import torch
import torch.nn.functional as F

CONVOLUTIONS = {
    # name: (output channels, input channels of a group, kernel, groups, stride, padding)
    'conv1': (96, 3, 11, 1, 4, 2),
    'conv2': (256, 48, 5, 2, 1, 2),
    'conv3': (384, 256, 3, 1, 1, 1),
    'conv4': (384, 192, 3, 2, 1, 1),
    'conv5': (256, 192, 3, 2, 1, 1),
}


def varint(number):
    out = b''
    while True:
        number, low = number >> 7, number & 127
        if not number:
            return out + bytes([low])
        out += bytes([low | 128])


def field(number, value):
    """One field: int → varint, float → 4 bytes, bytes → with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack('<f', value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def blob(array, old=False):
    """BlobProto: a shape message, or four numbers with the array's dims at the end."""
    array = np.asarray(array, '<f4')
    if old:
        four = (1,) * (4 - array.ndim) + array.shape
        head = b''.join(field(n, size) for n, size in enumerate(four, 1))
    else:
        head = field(7, field(1, b''.join(varint(size) for size in array.shape)))
    return head + field(5, array.tobytes())


def write_caffemodel(path, weights, order=None, old=False, norm=None):
    """Write the layers of AlexNet.

    Args:
        path (Path): The file.
        weights (dict): `conv1.weight` … → array.
        order (sequence[str], optional): Layer names; defaults to AlexNet's.
        old (bool): The format of before 2014's end (V1 layers, four-dim blobs).
        norm (dict, optional): LRNParameter's fields by number; Defaults to AlexNet's.
    """
    order = order or (
        [
            'conv1',
            'norm1',
            'pool1',
            'conv2',
            'norm2',
            'pool2',
            'conv3',
            'conv4',
            'conv5',
            'pool5',
            'fc6',
            'fc7',
            'fc8',
        ]
    )
    norm = {1: 5, 2: 1e-4, 3: 0.75} if norm is None else norm
    at = dict(name=4, kind=5, blobs=6, norm=18) if old else dict(name=1, kind=2, blobs=7, norm=118)
    kinds = dict(
        conv=(4, b'Convolution'), norm=(15, b'LRN'), pool=(17, b'Pooling'), fc=(14, b'InnerProduct')
    )
    data = field(1, b'AlexNet')
    for name in order:
        number, word = kinds[name.rstrip('0123456789')]
        layer = field(at['name'], name.encode()) + field(at['kind'], number if old else word)
        for leaf in ('weight', 'bias'):
            if f'{name}.{leaf}' in weights:
                layer += field(at['blobs'], blob(weights[f'{name}.{leaf}'], old))
        if name.startswith('norm'):
            layer += field(at['norm'], b''.join(field(n, v) for n, v in norm.items()))
        data += field(2 if old else 100, layer)
    path.write_bytes(data)


def caffe_weights(width=32, seed=0):
    """Random weights of BVLC's AlexNet with narrow FC layers, sized to keep activations near 1."""
    random = np.random.default_rng(seed)
    shapes = {name: (row[0], row[1], row[2], row[2]) for name, row in CONVOLUTIONS.items()}
    shapes.update(fc6=(width, 256 * 36), fc7=(width, width), fc8=(10, width))
    weights = {}
    for name, shape in shapes.items():
        size = (2 / np.prod(shape[1:])) ** 0.5
        weights[f'{name}.weight'] = (random.normal(size=shape) * size).astype(np.float32)
        weights[f'{name}.bias'] = (random.normal(size=shape[0]) * 0.1).astype(np.float32)
    return weights


def caffe_norm(x, k=1.0):
    """Caffe's LRN across channels, written out: x / (k + α/5 · Σ of 5 neighbours' x²)^β."""
    padded = F.pad(x**2, (0, 0, 0, 0, 2, 2))
    total = sum(padded[:, i : i + x.shape[1]] for i in range(5))
    return x / (k + 1e-4 / 5 * total) ** 0.75


def caffe_forward(weights, x, k=1.0):
    """FC7 of a grouped net with the file's own weights; x (B, 3, 224, 224) in the file's order."""
    w = {key: torch.from_numpy(value) for key, value in weights.items()}
    for name, (_, _, _, groups, stride, padding) in CONVOLUTIONS.items():
        x = F.conv2d(x, w[f'{name}.weight'], w[f'{name}.bias'], stride, padding, groups=groups)
        x = x.relu()
        if name in ('conv1', 'conv2'):
            x = caffe_norm(x, k)
        if name in ('conv1', 'conv2', 'conv5'):
            x = F.max_pool2d(x, 3, 2)
    # Caffe flattens channels, rows, columns.
    x = torch.from_numpy(x.numpy().reshape(len(x), -1, order='C'))
    for name in ('fc6', 'fc7'):
        x = (x @ w[f'{name}.weight'].T + w[f'{name}.bias']).relu()
    return x
