"""Class lists of the paper's source tasks (sec. 1): random ones, and all below WordNet nodes.

A class is a wnid, its number in WordNet ('n02370806'). A hierarchy is {parent: [children]}.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

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


def read_hierarchy(path: str) -> dict[str, list[str]]:
    """Children by parent, from a file of `PARENT CHILD` lines (ImageNet's `wordnet.is_a.txt`).

    Raises:
        UserError: It cannot be read, or a line has other than two words.
    """
    children: dict[str, list[str]] = defaultdict(list)
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
    return dict(children)


def descendants(node: str, children: Mapping[str, Sequence[str]]) -> set[str]:
    """The node and all below it. WordNet is no tree: each counts once, and a ring ends."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += children.get(at, [])
    return found


def random_classes(available: Collection[str], count: int, seed: int) -> list[str]:
    """A random part of a list, sorted: a pure function of the set of names, count and seed.

    Raises:
        UserError: More than there are.
    """
    names = sorted(available)
    if count > len(names):
        raise UserError(f'--count {count}: the list has {len(names)} classes')
    return sorted(names[i] for i in np.random.default_rng(seed).permutation(len(names))[:count])


def classes_under(
    base: Sequence[str],
    available: Collection[str],
    children: Mapping[str, Sequence[str]],
    nodes: Sequence[str],
) -> tuple[list[str], dict[str, set[str]]]:
    """The base list and, node by node, what is available below each and not taken yet.

    Returns:
        The base followed by the new classes, sorted; the new classes of each node.

    Raises:
        UserError: A node that the hierarchy does not have.
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


def compare_with_paper(added: Mapping[str, Collection[str]]) -> list[str]:
    """One line per node: its new classes, and the paper's count where it has one."""
    lines = []
    for node, names in added.items():
        name, paper = PAPER_NODES.get(node, ('', None))
        against = '' if paper is None else f'paper {paper}'
        if paper is not None and paper != len(names):
            against += f', differs by {len(names) - paper:+d}'
        lines.append(f'{node}  {name:16}  {len(names):5d} new classes  {against}'.rstrip())
    return lines
