"""Write the class lists of the paper's source tasks (sec. 1): text files, one wnid a line.

    # 1000R: 1000 random classes of all ImageNet
    python tools/dataset_converters/make_source_classes.py random --available imagenet22k.txt \\
        --out 1000r.txt
    # 1512: ILSVRC's classes and every class under five WordNet nodes
    python tools/dataset_converters/make_source_classes.py under --available imagenet22k.txt \\
        --base ilsvrc.txt \\
        --is-a wordnet.is_a.txt --out 1512.txt

`--available` and `--base` are lists of wnids (or of folders' names: `ls imagenet22k > FILE`), one
a line, what follows a space is not read. `--is-a` is ImageNet's public file: `PARENT CHILD` a
line. The lists that the configs use, configs/_base_/datasets/source_classes/, were made by these
two commands.
"""

import argparse
from collections import defaultdict

import numpy as np

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.class_folders import read_class_list
from tcnn_mm.errors import UserError

# The paper's nodes and how many classes each adds. It gives no wnids; with WordNet 3.0 and the
# 21,841 classes of ImageNet's autumn 2011 release these give its counts exactly.
PAPER_NODES = {
    'n02370806': ('hoofed mammal', 276),
    'n03405725': ('furniture', 165),
    'n03791235': ('motor vehicle', 48),
    'n04019101': ('public transport', 18),
    'n02834778': ('bicycle', 5),
}


def read_is_a(path):
    """{parent: [children]} of a file of `PARENT CHILD` lines."""
    children = defaultdict(list)
    try:
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                words = line.split()
                if len(words) not in (0, 2):
                    raise UserError(f'{path}: line {number}: {line.strip()!r} is not PARENT CHILD')
                if words:
                    children[words[0]].append(words[1])
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    return children


def descendants(node, children):
    """The node and all below it; WordNet is no tree, each counts once."""
    found, waiting = set(), [node]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += children.get(at, [])
    return found


def draw(available, count, seed):
    """A random part of a list, sorted; a pure function of the list's set, count and seed."""
    names = sorted(available)
    if count > len(names):
        raise UserError(f'--count {count}: the list has {len(names)} classes')
    return sorted(names[i] for i in np.random.default_rng(seed).permutation(len(names))[:count])


def add_nodes(base, available, children, nodes):
    """The base and, node by node, what is available below each and not taken yet.

    Returns:
        tuple[list[str], dict]: base, then the new ones sorted; node → its new ones.
    """
    known = set(children).union(*children.values())
    unknown = [node for node in nodes if node not in known]
    if unknown:
        raise UserError(f'--under {unknown[0]}: not in the is-a list')
    taken, added = set(base), {}
    for node in nodes:
        added[node] = (descendants(node, children) & set(available)) - taken
        taken |= added[node]
    return [*base, *sorted(taken.difference(base))], added


def report(added, total):
    """Lines that set the counts against the paper's."""
    lines = []
    for node, names in added.items():
        name, paper = PAPER_NODES.get(node, ('', None))
        against = '' if paper is None else f'paper {paper}'
        if paper not in (None, len(names)):
            against += f', differs by {len(names) - paper:+d}'
        lines.append(f'{node}  {name:16}  {len(names):5d} new classes  {against}'.rstrip())
    return '\n'.join([*lines, f'{total} classes in all'])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = parser.add_subparsers(dest='way', required=True)
    random = ways.add_parser('random', help='a random part of the available classes')
    random.add_argument('--count', type=int, default=1000, help='default: 1000')
    random.add_argument('--seed', type=int, default=0)
    under = ways.add_parser('under', help='a base list and all classes under some nodes')
    under.add_argument('--base', required=True, metavar='LIST', help="ILSVRC's 1000")
    under.add_argument('--is-a', required=True, metavar='FILE', help='wordnet.is_a.txt')
    under.add_argument(
        '--under', nargs='+', metavar='WNID', default=list(PAPER_NODES), help="default: the paper's"
    )
    for way in (random, under):
        way.add_argument('--available', required=True, metavar='LIST', help='all classes there are')
        way.add_argument('--out', required=True)
    args = parser.parse_args(argv)
    available = read_class_list(args.available)
    if args.way == 'random':
        names = draw(available, args.count, args.seed)
        print(f'{len(names)} of {len(available)} classes, seed {args.seed}')
    else:
        base = read_class_list(args.base)
        names, added = add_nodes(base, available, read_is_a(args.is_a), args.under)
        print(report(added, len(names)))
    with open(args.out, 'w', encoding='utf-8') as file:
        file.write('\n'.join(names) + '\n')
    print(f'{args.out}: set num_classes={len(names)} in the head and in both data sets')


if __name__ == '__main__':
    run_tool(main)
