"""Write a config's backbone with random weights: the baseline "the same network, untrained".

    python tools/analysis_tools/random_weights.py CONFIG random.pth --seed 0
    python tools/train.py CONFIG --cfg-options model.pretrained=random.pth

A file, because the run that trains a head and the one that makes a bank need the same network.
"""

import argparse

import torch

from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import seed
from tcnn_mm.registry import MODELS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('out')
    parser.add_argument('--seed', type=seed, default=0)
    args = parser.parse_args()
    cfg = load_config_from(args)
    torch.manual_seed(args.seed)
    backbone = MODELS.build(cfg.model.backbone)
    backbone.init_weights()
    torch.save(backbone.state_dict(), args.out)
    print(f'{args.out}: random {type(backbone).__name__}, seed {args.seed}')


if __name__ == '__main__':
    run_tool(main)
