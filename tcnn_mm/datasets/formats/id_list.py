"""Lists of image ids: text files with one id per line."""

import os.path as osp
import re
from collections import Counter
from collections.abc import Sequence

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.image_ids import image_id, printable
from tcnn_mm.errors import UserError


def read_lines(path: str) -> list[str]:
    """Read a list's lines, without blank ones and without blanks at their ends.

    Bytes that are not UTF-8 become lone surrogates, as in the names of files: such a list finds
    the files whose names have the same bytes.

    Raises:
        UserError: No such file, UTF-16, or no line.
    """
    if not osp.isfile(path):
        raise UserError(f'{path}: no such list of ids')
    text = read_text(path, errors='surrogateescape')
    lines = [line.strip() for line in re.split(r'\r\n|\r|\n', text) if line.strip()]
    if not lines:
        raise UserError(f'{path}: no id in this list; write ids, or remove the file')
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
            f'{path}: "{printable(columns)}" is a line of a class file; give a list of ids alone, '
            'such as ImageSets/Main/trainval.txt'
        )
    duplicates = [i for i, count in Counter(ids).items() if count > 1]
    if duplicates:
        raise UserError(
            f'{path}: duplicate id {printable(duplicates[0])} ({len(duplicates)} such ids)'
        )
    return ids


def write_ids(path: str, ids: Sequence[str]) -> None:
    """Write a list that :func:`read_ids` reads as the same ids.

    Args:
        path: The file.
        ids: Printable ids (:func:`image_id`), or names of files without line ends in them.
    """
    with atomic_write(path, errors='surrogateescape') as file:
        file.writelines(f'{i}\n' for i in ids)


def restrict_ids(ids: Sequence[str], path: str | None, ann_file: str) -> list[str]:
    """Keep the ids that a list names, in their own order.

    Args:
        ids: All ids of a data set, or names of which :func:`image_id` makes its ids.
        path: A text file of either; None keeps all.
        ann_file: Where `ids` come from, for the error.

    Raises:
        UserError: What :func:`read_ids` refuses, a listed id that is not among `ids`.
    """
    if path is None:
        return list(ids)
    wanted = set(read_ids(path))
    kept = [i for i in ids if i in wanted or image_id(i) in wanted]
    unknown = sorted(wanted.difference(kept, map(image_id, kept)))
    if unknown:
        raise UserError(
            f'{path}: id {printable(unknown[0])} is not in {ann_file} ({len(unknown)} such ids)'
        )
    return kept
