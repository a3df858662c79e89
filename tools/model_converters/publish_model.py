"""Make a weights-only file of a checkpoint: no optimizer, no log, nothing to unpickle.

    python tools/model_converters/publish_model.py work_dirs/source_minivoc/epoch_10.pth \\
        minivoc_source.pth
    python tools/model_converters/publish_model.py work_dirs/tcnn_minivoc/epoch_100.pth \\
        minivoc.safetensors

Keeps the weights, the class names, the config, what `CheckpointMetaHook` recorded and the
thresholds. A name that ends in .safetensors, or --safetensors, writes that format (pip install
safetensors); tools and configs read it like a .pth.
"""

import argparse
import os.path as osp

from tcnn_mm.checkpoints.loading import SAFETENSORS, load_safely, write_checkpoint
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError

KEPT = ('cfg', 'dataset_meta', 'tcnn_mm', 'epoch', 'seed')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint')
    parser.add_argument('out')
    parser.add_argument('--no-cfg', action='store_true', help='leave the config out')
    parser.add_argument('--safetensors', action='store_true', help='as the name of OUT must say')
    parser.add_argument('--trust-checkpoint', action='store_true', help='unpickle it fully')
    args = parser.parse_args()
    if args.safetensors and not args.out.endswith(SAFETENSORS):
        raise UserError(
            f'--safetensors: {args.out} must end in {SAFETENSORS}, which is how it is read'
        )
    checkpoint = load_safely(args.checkpoint, trust=args.trust_checkpoint)
    kept = KEPT[1:] if args.no_cfg else KEPT
    meta = {key: checkpoint['meta'][key] for key in kept if key in checkpoint['meta']}
    # Sorted and contiguous: the same weights give the same file.
    state = {k: v.cpu().contiguous() for k, v in sorted(checkpoint['state_dict'].items())}
    write_checkpoint(args.out, dict(meta=meta, state_dict=state))
    load_safely(args.out)
    print(f'{args.out}: {len(state)} tensors, {osp.getsize(args.out) / 1e6:.2f} MB')


if __name__ == '__main__':
    run_tool(main)
