"""Write a weights-only file of a checkpoint: `tcnn export --format weights` with two arguments.

python tools/model_converters/publish_model.py CHECKPOINT model.pth
"""

import argparse

from tcnn_mm.checkpoints.publish import publish
from tcnn_mm.checkpoints.safetensors_file import SAFETENSORS
from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint')
    parser.add_argument('out')
    parser.add_argument('--no-cfg', action='store_true', help='leave the config out')
    parser.add_argument('--safetensors', action='store_true', help='as the name of OUT must say')
    add_trust_argument(parser)
    args = parser.parse_args()
    if args.safetensors and not args.out.endswith(SAFETENSORS):
        raise UserError(f'--safetensors: {args.out} must end in {SAFETENSORS}')
    tensors = publish(
        args.checkpoint, args.out, config=not args.no_cfg, trust=args.trust_checkpoint
    )
    print(f'{args.out}: {tensors} tensors')


if __name__ == '__main__':
    run_tool(main)
