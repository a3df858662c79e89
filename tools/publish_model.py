"""Make a weights-only file of a checkpoint: no optimizer, no log, nothing to unpickle.

    python tools/publish_model.py work_dirs/source_minivoc/epoch_10.pth minivoc_source.pth

Keeps the weights, the class names, the config and what `CheckpointMetaHook` recorded.
"""

import argparse
import os.path as osp

import torch

from tcnn_mm.engine.checkpoint import load_safely
from tcnn_mm.engine.launch import run_tool

KEPT = ('cfg', 'dataset_meta', 'tcnn_mm', 'epoch', 'seed')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint')
    parser.add_argument('out')
    parser.add_argument('--no-cfg', action='store_true', help='leave the config out')
    parser.add_argument('--trust-checkpoint', action='store_true', help='unpickle it fully')
    args = parser.parse_args()
    checkpoint = load_safely(args.checkpoint, trust=args.trust_checkpoint)
    kept = KEPT[1:] if args.no_cfg else KEPT
    meta = {key: checkpoint['meta'][key] for key in kept if key in checkpoint['meta']}
    # Sorted and contiguous: the same weights give the same file.
    state = {k: v.cpu().contiguous() for k, v in sorted(checkpoint['state_dict'].items())}
    torch.save(dict(meta=meta, state_dict=state), args.out)
    load_safely(args.out)
    print(f'{args.out}: {len(state)} tensors, {osp.getsize(args.out) / 1e6:.2f} MB')


if __name__ == '__main__':
    run_tool(main)
