"""Lists of image ids: text files with one id per line."""

import re
from collections import Counter
from collections.abc import Sequence

from tcnn_mm.errors import UserError


def read_lines(path: str) -> list[str]:
    """Read a list's lines, without blank ones and without blanks at their ends.

    Raises:
        UserError: Not UTF-8, or no line.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = [line.strip() for line in file if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: not a text file in UTF-8 ({error})') from error
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such list of ids') from error
    if not lines:
        raise UserError(f'{path}: no id in this list')
    return lines


def read_ids(path: str) -> list[str]:
    """Read a list of different image ids.

    Raises:
        UserError: What :func:`read_lines` refuses, a duplicate id, a class file of VOC.
    """
    ids = read_lines(path)
    # The devkit's flags have two places: 'a -1', 'a  1'; 'photo 1' is an id.
    columns = next((i for i in ids if re.fullmatch(r'\S+(\s+-1|\s{2,}[01])', i)), None)
    if columns:
        raise UserError(
            f'{path}: "{columns}" is a line of a class file; give a list of ids alone, such as '
            'ImageSets/Main/trainval.txt'
        )
    duplicates = [i for i, count in Counter(ids).items() if count > 1]
    if duplicates:
        raise UserError(f'{path}: duplicate id {duplicates[0]} ({len(duplicates)} such ids)')
    return ids


def restrict_ids(ids: Sequence[str], path: str | None, ann_file: str) -> list[str]:
    """Keep the ids that a list names, in their own order.

    Args:
        ids: All ids of a data set.
        path: A text file of ids; None keeps all.
        ann_file: Where `ids` come from, for the error.

    Raises:
        UserError: What :func:`read_ids` refuses, a listed id that is not among `ids`.
    """
    if path is None:
        return list(ids)
    wanted = set(read_ids(path))
    unknown = sorted(wanted.difference(ids))
    if unknown:
        raise UserError(f'{path}: id {unknown[0]} is not in {ann_file} ({len(unknown)} such ids)')
    return [i for i in ids if i in wanted]
