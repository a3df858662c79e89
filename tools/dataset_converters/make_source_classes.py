"""Write the class lists of the paper's source tasks (sec. 1): text files, one wnid per line.

    # 1000R: 1000 random classes of all ImageNet
    python tools/dataset_converters/make_source_classes.py random --available imagenet22k.txt \\
        --out 1000r.txt
    # 1512: ILSVRC's classes and every class under five WordNet nodes
    python tools/dataset_converters/make_source_classes.py under --available imagenet22k.txt \\
        --base ilsvrc.txt --is-a wordnet.is_a.txt --out 1512.txt

`--available` and `--base` are lists of wnids (or of folder names: `ls imagenet22k > FILE`), one
per line; what follows a space is not read. `--is-a` is ImageNet's public file: `PARENT CHILD` per
line. The lists that the configs use, configs/_base_/datasets/source_classes/, were made by these
two commands.
"""

import argparse
from collections.abc import Sequence

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import seed, whole
from tcnn_mm.datasets.class_folders import read_class_list
from tcnn_mm.datasets.source_classes import (
    PAPER_NODES,
    classes_under,
    compare_with_paper,
    random_classes,
    read_hierarchy,
)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = parser.add_subparsers(dest='way', required=True)
    random = ways.add_parser('random', help='a random part of the available classes')
    random.add_argument('--count', type=whole(1), default=1000, help='default: 1000')
    random.add_argument('--seed', type=seed, default=0)
    under = ways.add_parser('under', help='a base list and all classes under some nodes')
    under.add_argument('--base', required=True, metavar='LIST', help="ILSVRC's 1000")
    under.add_argument('--is-a', required=True, metavar='FILE', help='wordnet.is_a.txt')
    under.add_argument(
        '--under', nargs='+', metavar='WNID', default=list(PAPER_NODES), help="default: the paper's"
    )
    for way in (random, under):
        way.add_argument('--available', required=True, metavar='LIST', help='all classes there are')
        way.add_argument('--out', required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    available = read_class_list(args.available)
    if args.way == 'random':
        names = random_classes(available, args.count, args.seed)
        print(f'{len(names)} of {len(available)} classes, seed {args.seed}')
    else:
        base, children = read_class_list(args.base), read_hierarchy(args.is_a)
        names, added = classes_under(base, available, children, args.under)
        print('\n'.join([*compare_with_paper(added), f'{len(names)} classes in all']))
    with atomic_write(args.out) as file:
        file.write('\n'.join(names) + '\n')
    print(f'{args.out}: set num_classes={len(names)} in the head and in both data sets')


if __name__ == '__main__':
    run_tool(main)
