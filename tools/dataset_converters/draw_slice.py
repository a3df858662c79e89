"""Draw a part of a VOC split by seed and keep its ids, one per line.

    python tools/dataset_converters/draw_slice.py data/VOCdevkit/VOC2007 test --count 300 \\
        --seed 0 --out test.txt

Use the list as `ids=` of VOCObjects.
"""

import argparse
import os.path as osp
from collections.abc import Sequence

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import seed, whole
from tcnn_mm.errors import UserError


def draw(ids: Sequence[str], count: int, seed: int) -> list[str]:
    """A random part of a list, in the list's order; a pure function of its arguments."""
    if count > len(ids):
        raise UserError(f'--count {count}: the split has {len(ids)} images')
    chosen = np.random.default_rng(seed).permutation(len(ids))[:count]
    return [ids[i] for i in sorted(chosen)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_root')
    parser.add_argument('split')
    parser.add_argument('--count', type=whole(1), required=True)
    parser.add_argument('--seed', type=seed, default=0)
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    path = osp.join(args.data_root, 'ImageSets', 'Main', f'{args.split}.txt')
    if not osp.isfile(path):
        raise UserError(f'no list of ids: {path}')
    with open(path, encoding='utf-8') as file:
        ids = [line.strip() for line in file if line.strip()]
    with atomic_write(args.out) as file:
        file.write('\n'.join(draw(ids, args.count, args.seed)) + '\n')
    print(f'{args.out}: {args.count} of {len(ids)} ids')


if __name__ == '__main__':
    run_tool(main)
