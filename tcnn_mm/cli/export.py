"""Export a trained checkpoint to ONNX, torch.export, or a weights-only file.

    tcnn export work_dirs/tcnn_minivoc/epoch_100.pth --out patch.onnx
    tcnn export CHECKPOINT --whole-image --out model.onnx       # an image in, scores and maps out
    tcnn export CHECKPOINT --part dense --format torch-export --out dense.pt2
    tcnn export CHECKPOINT --format weights --out model.pth          # or model.safetensors

`--whole-image` (`--part image`): an image of any size, or of `--image-size`, uint8 RGB
(height, width, 3) → scores (K,) and localization maps (K, h, w), as `tcnn predict` gives them.
Resizing, grid, network, votes and maps are in the file; it is ONNX, in float32.

`--part patch`: (B, 3, S, S) → (B, K+1) scores, any B. `--part dense`: one image, resized as the
grid's scale λ says (sides S + stride · n), → (h, w, K+1) scores of the windows that start at every
`stride` pixels. Both take float32 RGB 0–255; the file says classes, sizes and grid (ONNX
metadata `tcnn_mm`, torch.export's extra file `tcnn_mm.json`). The score of an image is the
aggregator of its patch scores (mean of y^5), which you compute: docs/predict_and_export.md.
The written file is run on several sizes and must agree to 1e-4. ONNX: pip install 'tcnn_mm[export]'

`--format weights` keeps weights, class names, config, thresholds and what `CheckpointMetaHook`
recorded; no optimizer, no log, nothing to unpickle. `tcnn predict` and configs read it.
"""

import argparse

from tcnn_mm.cli.arguments import add_damping_argument, add_trust_argument
from tcnn_mm.cli.numbers import whole
from tcnn_mm.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The checkpoint, the format and the file."""
    parser.add_argument('checkpoint')
    parser.add_argument('--config', help='for a checkpoint that holds none')
    parser.add_argument('--out', required=True, help='the file to write')
    parser.add_argument('--format', choices=['onnx', 'torch-export', 'weights'], default='onnx')
    parser.add_argument('--part', choices=['patch', 'dense', 'image'], default='patch')
    parser.add_argument(
        '--whole-image', dest='part', action='store_const', const='image', help='--part image'
    )
    parser.add_argument(
        '--image-size',
        nargs=2,
        type=whole(1),
        metavar=('HEIGHT', 'WIDTH'),
        help='whole image: of all images, pixels; default: any',
    )
    add_damping_argument(parser)
    parser.add_argument('--no-cfg', action='store_true', help='weights: leave the config out')
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Write the file, check it, and print its size.

    Raises:
        UserError: Options that do not go together; a model that cannot be exported so.
    """
    if args.part != 'image' and (args.image_size or args.damping is not None):
        given = '--image-size' if args.image_size else '--damping'
        raise UserError(f'{given} is of a whole image: add --whole-image, or leave {given} out')
    if args.part == 'image' and args.format != 'onnx':
        raise UserError(
            f'--whole-image writes ONNX, found --format {args.format}: leave one of them out'
        )
    if args.format == 'weights':
        from tcnn_mm.checkpoints.publish import publish

        tensors = publish(
            args.checkpoint, args.out, config=not args.no_cfg, trust=args.trust_checkpoint
        )
        print(f'{args.out}: {tensors} tensors, {_megabytes(args.out):.2f} MB')
        return
    if args.part == 'image':
        from tcnn_mm.export.whole_image_file import export_whole_image

        exported = export_whole_image(
            args.checkpoint,
            args.out,
            config=args.config,
            image_size=args.image_size and tuple(args.image_size),
            damping=args.damping,
            trust=args.trust_checkpoint,
        )
    else:
        from tcnn_mm.export.export_checkpoint import export_checkpoint

        exported = export_checkpoint(
            args.checkpoint,
            args.out,
            config=args.config,
            file_format=args.format,
            part=args.part,
            trust=args.trust_checkpoint,
        )
    for note in exported.notes:
        print(note)
    for shape, difference in exported.differences:
        print(f'{" × ".join(map(str, shape))}: largest difference of a score {difference:.1e}')
    print(
        f'{args.out}: {args.part} network, {_megabytes(args.out):.1f} MB; '
        f'outputs {", ".join(exported.outputs)}'
    )


def _megabytes(path: str) -> float:
    """Size of a file."""
    import os

    return os.path.getsize(path) / 1e6
