"""Several labels in one cell: 'disc|square', 'a;b', "['a', 'b']", 'a b'."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping

from tcnn_mm.datasets.formats.table_text import shown
from tcnn_mm.errors import UserError

NAMES = {'|': '|', ';': 'a semicolon', ',': 'a comma', ' ': 'a blank'}


def split_joined(
    counts: Counter[str], what: str, tags: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Give each different cell of a column of labels its labels.

    '|' and ';' separate labels where they are in several cells. Commas and blanks are also in the
    names of classes: they separate labels where all parts of such cells are labels of their own
    elsewhere, numbers, or tags.

    Args:
        counts: Different cells and how often they occur.
        what: File and column, for messages.
        tags: The column is called tags: several per image, each repeated.

    Returns:
        {cell: labels}, and sentences for the report.

    Raises:
        UserError: A cell of JSON; cells that can be one label or several.
    """
    labels = {cell: _literal(cell, what) for cell in counts}
    notes = []
    for separator in '|;, ':
        weights: Counter[str] = Counter()
        for cell, count in counts.items():
            for label in labels[cell]:
                weights[label] += count
        joined = {w: parts for w in weights if len(parts := _parts(w, separator)) > 1}
        if not joined or not _separates(separator, joined, weights, what, tags):
            continue
        example, parts = next(iter(joined.items()))
        notes.append(
            f'{what}: labels are separated by {NAMES[separator]}: {shown(example)} is '
            f'{" and ".join(map(shown, parts[:3]))}'
        )
        for cell, mine in labels.items():
            labels[cell] = unique(part for m in mine for part in joined.get(m, [m]))
    return labels, notes


def unique(labels: Iterable[str]) -> list[str]:
    """The labels in their order, each once."""
    return list(dict.fromkeys(labels))


def _parts(label: str, separator: str) -> list[str]:
    return [part.strip() for part in label.split(separator) if part.strip()]


def _literal(cell: str, what: str) -> list[str]:
    """The labels of a list as Python and JSON write it, else the cell itself."""
    if not cell.startswith(('{', '[')):
        return [cell]
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        found = None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise UserError(
            f'{what} holds {shown(cell)}: not a label; write file,label[,label…], or a format with '
            'boxes'
        )
    return unique(label.strip() for label in found if label.strip())


def _separates(
    separator: str,
    joined: Mapping[str, list[str]],
    weights: Counter[str],
    what: str,
    tags: bool,
) -> bool:
    """Whether a separator separates labels; false where it is part of the names."""
    alone = weights.keys() - joined.keys()
    explained = [label for label, parts in joined.items() if alone.issuperset(parts)]
    if len(explained) == len(joined):
        return True
    if separator in '|;':
        return sum(weights[label] for label in joined) > 1
    words = {part for parts in joined.values() for part in parts}
    shared = len(words) < sum(len(set(parts)) for parts in joined.values())
    if all(word.isdecimal() for word in words) or (tags and shared):
        return True
    lengths = {len(parts) for parts in joined.values()}
    if explained or (len(words) < len(joined) and len(lengths) > 1):
        example = next(label for label in joined if label not in explained)
        parts = joined[example]
        raise UserError(
            f'{what}: {shown(example)} can be one label or {len(parts)}; write '
            f'{shown("|".join(parts))} for {len(parts)} labels, {shown("_".join(parts))} for one'
        )
    return False
