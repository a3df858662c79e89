"""Read a .caffemodel without Caffe: the layers' names, kinds and weights.

It is a message in protobuf's wire format; the field numbers below are those of caffe.proto.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tcnn_mm.errors import UserError

# NetParameter's layers and their fields; files from before 2014's end have the other kind, whose
# layers name their kind by a number.
_LAYERS = {
    100: dict(name=1, kind=2, blobs=7, norm=118),
    2: dict(name=4, kind=5, blobs=6, norm=18),
}
_KINDS = {4: 'Convolution', 14: 'InnerProduct', 15: 'LRN', 17: 'Pooling'}
# LRNParameter: field → (name, Caffe's default).
_NORM = {1: ('size', 5), 2: ('alpha', 1.0), 3: ('beta', 0.75), 5: ('k', 1.0)}
_FIXED = {1: ('<d', 8), 5: ('<f', 4)}


class CaffeLayer(NamedTuple):
    """One layer.

    Attributes:
        blobs: float32 arrays in their stored shapes.
        norm: size, alpha, beta, k of an LRN; None for other kinds.
    """

    name: str
    kind: str
    blobs: list[np.ndarray]
    norm: dict[str, float] | None


def read_varint(data: memoryview | bytes, at: int) -> tuple[int, int]:
    """The number that starts at byte `at`, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read_fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Fields of a message (memoryview): yields (number, int | float | memoryview)."""
    value: Any
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire = divmod(tag, 8)
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire == 2:
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire in _FIXED:
            form, size = _FIXED[wire]
            (value,), at = struct.unpack(form, data[at : at + size]), at + size
        else:
            raise ValueError(f'wire type {wire}')
        if at > len(data):
            raise ValueError('a field ends behind its message')
        yield number, value


def read_blob(message: memoryview) -> np.ndarray:
    """BlobProto → float32 array; its dims are a shape (field 7) or, in old files, four numbers."""
    old, shape, parts = {}, None, []
    for number, value in read_fields(message):
        if number <= 4:
            old[number] = value
        elif number in (5, 8):  # data; double_data
            kind = '<f4' if number == 5 else '<f8'
            parts.append(np.frombuffer(value, kind) if isinstance(value, memoryview) else [value])
        elif number == 7:
            shape = []
            for _, dims in read_fields(value):
                at = 0
                while not isinstance(dims, int) and at < len(dims):
                    dim, at = read_varint(dims, at)
                    shape.append(dim)
                shape += [dims] if isinstance(dims, int) else []
    if shape is None:
        shape = [old.get(number, 1) for number in (1, 2, 3, 4)]
    return np.concatenate(parts or [[]]).astype(np.float32).reshape(shape)


def read_layer(message: memoryview, fields: Mapping[str, int]) -> CaffeLayer:
    """One layer; `fields` are the numbers of its kind of message."""
    name, kind, blobs, norm = '', '', [], dict(_NORM.values())
    for number, value in read_fields(message):
        if number == fields['name']:
            name = bytes(value).decode()
        elif number == fields['kind']:
            kind = (
                _KINDS.get(value, str(value)) if isinstance(value, int) else bytes(value).decode()
            )
        elif number == fields['blobs']:
            blobs.append(read_blob(value))
        elif number == fields['norm']:
            norm |= {_NORM[n][0]: v for n, v in read_fields(value) if n in _NORM}
    return CaffeLayer(name, kind, blobs, norm if kind == 'LRN' else None)


def read_caffemodel(path: str) -> list[CaffeLayer]:
    """All layers of a .caffemodel, in the network's order.

    Raises:
        UserError: Missing, damaged, or no such file (one of before 2014, a .prototxt).
    """
    try:
        with open(path, 'rb') as file:
            data = memoryview(file.read())
        layers = [read_layer(v, _LAYERS[n]) for n, v in read_fields(data) if n in _LAYERS]
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise UserError(f'{path}: damaged, or no .caffemodel ({error})') from error
    if not any(layer.blobs for layer in layers):
        raise UserError(f'{path}: holds no layers with weights; give the .caffemodel, not the net')
    return layers
