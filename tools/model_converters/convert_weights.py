"""Bring AlexNet files of Caffe or torchvision into `TransferAlexNet`, with a report.

    python tools/model_converters/convert_weights.py bvlc_alexnet.caffemodel bvlc_alexnet.pth
    python tools/model_converters/convert_weights.py alexnet.npz alexnet.pth --to-rgb
    tcnn train CONFIG --cfg-options model.pretrained=bvlc_alexnet.pth

Reads .caffemodel; .npz and .pth with `conv1.weight` … `fc7.bias` or torchvision's names. Layers
are renamed, groups expanded with zeros, Caffe's normalisation constant is folded into C1, C2, C3;
FC8 is dropped. The pixels that the result expects are written into it and printed as the config's
`backbone`; `PatchClassifier` compares the two.
"""

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from caffe_weights import fit_shape, fold_normalisation, turn_channels
from caffemodel import CaffeLayer, read_caffemodel

from tcnn_mm import __version__
from tcnn_mm.checkpoints.loading import load_safely, model_state, trusting
from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import real
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.alexnet import TransferAlexNet
from tcnn_mm.models.backbones.alexnet_variants import CAFFE_NAMES, VARIANTS

OUTPUT_LAYER = 'classifier.6.'  # FC8


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help='.caffemodel, .npz or .pth')
    parser.add_argument('out', help='.pth to write')
    parser.add_argument(
        '--to-rgb', action='store_true', help="turn a BGR (Caffe's) file's first layer to RGB"
    )
    parser.add_argument(
        '--lrn-k',
        type=real(0.001),
        help="the file's constant of response normalisation; default: the .caffemodel's own, 1 for "
        "other files with Caffe's names, ours (2) for torchvision's names",
    )
    add_trust_argument(parser)
    return parser.parse_args(argv)


def check_norms(path: str, layers: Sequence[CaffeLayer]) -> float:
    """The normalisation's constant k of a Caffe net, which must be built as ours is.

    Raises:
        UserError: CaffeNet (pooling before normalisation), or another size, α or β.
    """
    kinds = [layer.kind for layer in layers if layer.kind in ('LRN', 'Pooling')]
    if 'LRN' not in kinds:
        raise UserError(f'{path}: a net without response normalisation is none of ours')
    if kinds[:4] != ['LRN', 'Pooling'] * 2:
        raise UserError(
            f'{path}: its order is {", ".join(kinds)}; AlexNet normalises before it pools '
            '(CaffeNet does not, and no weights make one the other)'
        )
    norms = [layer.norm for layer in layers if layer.norm]
    for norm in norms:
        found = norm['size'], norm['alpha'], norm['beta'], norm['k']
        if not np.allclose(found, (5, 1e-4, 0.75, norms[0]['k'])):
            raise UserError(f'{path}: normalisation {norm}; ours has size 5, alpha 1e-4, beta 0.75')
    return norms[0]['k']


def read(path: str) -> tuple[dict[str, torch.Tensor], float | None]:
    """(state dict of tensors, k of a .caffemodel or None)."""
    if path.endswith('.caffemodel'):
        layers = read_caffemodel(path)
        state = {
            f'{layer.name}.{leaf}': torch.from_numpy(blob)
            for layer in layers
            for leaf, blob in zip(('weight', 'bias'), layer.blobs, strict=False)
        }
        return state, check_norms(path, layers)
    if path.endswith('.npz'):
        try:
            with np.load(path) as arrays:
                return {key: torch.from_numpy(arrays[key]).float() for key in arrays}, None
        except (OSError, ValueError) as error:
            raise UserError(f'{path}: cannot be read ({error})') from error
    return model_state(load_safely(path)), None


def build_for(path: str, state: Mapping[str, torch.Tensor]) -> TransferAlexNet:
    """The network of ours that these weights are of: variant by C1's width, FC width by FC7's.

    Raises:
        UserError: No first layer or FC7, or a width of no variant.
    """
    first, last = (
        next((state[key] for key in keys if key in state), None)
        for keys in (('features.0.weight', 'conv1.weight'), ('classifier.4.bias', 'fc7.bias'))
    )
    if first is None or last is None:
        names = ', '.join(list(state)[:8])
        raise UserError(
            f'{path}: no AlexNet; it needs conv1.weight … fc7.bias, or features.0.weight … '
            f'classifier.4.bias, and has {names or "nothing"} …'
        )
    widths = {spec.channels[0]: name for name, spec in VARIANTS.items()}
    if len(first) not in widths:
        raise UserError(f'{path}: its first layer has {len(first)} channels; ours: {widths}')
    return TransferAlexNet(widths[len(first)], fc_channels=last.numel())


def convert(
    path: str, state: Mapping[str, torch.Tensor], net: TransferAlexNet
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Names and shapes: (our state dict, lines of the report).

    Raises:
        UserError: A parameter of C1…FC7 that the file lacks or has in another shape.
    """
    own, converted, rows = net.state_dict(), {}, []
    for key, value in state.items():
        (name, _), *_ = net.convert_state_dict({key: value}).items()
        done = ['renamed'] if name != key else []
        if name not in own:
            done = ['dropped (FC8)' if name.startswith(OUTPUT_LAYER) else 'dropped (no such layer)']
            rows.append((key, tuple(value.shape), '–', '', done))
            continue
        fitted = fit_shape(value, own[name].shape)
        done += ['reshaped'] if fitted.shape != value.shape else []
        full = net.convert_state_dict({name: fitted})[name]
        if full.shape != fitted.shape:
            done.append(f'{full.shape[1] // fitted.shape[1]} groups expanded')
        converted[name] = full
        rows.append((key, tuple(value.shape), name, tuple(full.shape), done or ['as it is']))
    problems = [f'{name} is missing' for name in own if name not in converted]
    problems += [
        f'{name} is {tuple(value.shape)}, ours {tuple(own[name].shape)}'
        for name, value in converted.items()
        if value.shape != own[name].shape
    ]
    if problems:
        raise UserError(f'{path}: does not fit {net.variant}: {"; ".join(problems[:6])}')
    return converted, [
        f'{key:22} {str(shape):22} → {name:20} {str(new):22} {", ".join(done)}'
        for key, shape, name, new, done in rows
    ]


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with trusting(args.trust_checkpoint):
        state, k = read(args.file)
    net = build_for(args.file, state)
    caffe = any(key.rpartition('.')[0] in CAFFE_NAMES for key in state)
    converted, lines = convert(args.file, state, net)
    own_k = next((m.k for m in net.modules() if isinstance(m, torch.nn.LocalResponseNorm)), None)
    k = args.lrn_k or k or (1.0 if caffe else own_k)
    if own_k is not None and k != own_k:
        converted = fold_normalisation(converted, k, own_k)
        lines.append(f'normalisation: k = {k:g} folded into C1, C2, C3 (ours: {own_k:g})')
    pixels = dict(net.preprocessing)
    if args.to_rgb:
        if pixels['channel_order'] != 'bgr':
            raise UserError(f'--to-rgb: {args.file} is of {net.variant}, whose pixels are RGB')
        converted['features.0.weight'] = turn_channels(converted['features.0.weight'])
        pixels.update(channel_order='rgb', mean=pixels['mean'][::-1], std=pixels['std'][::-1])
        lines.append('features.0.weight: BGR turned to RGB')
    net.load_state_dict(converted)  # strict: the file is complete
    pixels = {key: list(v) if isinstance(v, tuple) else v for key, v in pixels.items()}
    meta = dict(tcnn_mm=dict(version=__version__, preprocessing=pixels))
    ordered = {key: value.contiguous() for key, value in sorted(converted.items())}
    torch.save(dict(meta=meta, state_dict=ordered), args.out)
    print('\n'.join(lines))
    said = {name: pixels[name] for name in ('mean', 'std', 'channel_order')}
    print(
        f'{args.out}: {len(ordered)} tensors; in the config:\n'
        f"backbone=dict(type='tcnn_mm.TransferAlexNet', variant={net.variant!r}, "
        f'fc_channels={net.fc_channels}, preprocessing={said})'
    )


if __name__ == '__main__':
    run_tool(main)
