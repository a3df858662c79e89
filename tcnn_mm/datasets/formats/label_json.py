"""Image labels in a JSON: {"file": ["label", …]} or [{"file": …, "labels": […]}, …]."""

import json
import os.path as osp
from collections.abc import Sequence
from typing import Any

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages, Reading
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.joined_labels import unique
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.formats.table import class_order
from tcnn_mm.datasets.formats.table_cells import is_missing
from tcnn_mm.datasets.formats.table_text import has_image_suffix
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

JSON_FORM = 'write {"file": ["label", …], …} or [{"file": …, "labels": […]}, …]'
# A folder with more JSON files beside each other has one per image, which is another format.
MOST_FILES = 20
SAMPLE = 200


class _Pairs(list[tuple[str, Any]]):
    """The entries of a JSON object in their order, duplicate keys among them."""


def find_label_json(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """Find JSON files of image labels; all other JSON files are passed over.

    Args:
        scan: The folder; with `only`, that file alone.
        index: Its images.

    Returns:
        None where no file has such a form and names images of the folder.
    """
    images = {osp.splitext(image)[0] for image in index.images} | index.images
    files = [f for f in scan.with_suffix('.json') if osp.splitext(f)[0] not in images]
    if not files or len(files) > MOST_FILES:
        return None
    found = {}
    for file in files:
        entries = _entries(scan.path(file))
        if entries is not None and _names_images(entries, index, osp.dirname(file)):
            found[file] = entries
    if not found:
        return None
    evidence = '; '.join(
        f'{file} gives labels to {len(entries)} files' for file, entries in found.items()
    )
    return Reading('json', evidence, lambda account: _read(found, scan, index, account))


def parse_label_json(text: str, path: str) -> list[tuple[str, list[str]]]:
    """Parse a JSON of image labels.

    Args:
        text: Of the file.
        path: The file, for messages.

    Returns:
        (file as written, labels) in the file's order; no label for null and "nan".

    Raises:
        UserError: Not JSON, another form.
    """
    try:
        content = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: not JSON ({str(error)[:100]}); {JSON_FORM}') from error
    if isinstance(content, _Pairs):
        pairs: list[tuple[Any, Any]] = list(content)
    elif isinstance(content, list):
        pairs = [_row(row, f'{path}: entry {at}') for at, row in enumerate(content, 1)]
    else:
        raise UserError(f'{path}: {type(content).__name__} found; {JSON_FORM}')
    return [(str(name), _labels(value, str(name), path)) for name, value in pairs]


def file_labels(
    entries: Sequence[tuple[str, list[str]]],
    path: str,
    index: ImageIndex,
    near: str,
    account: Account,
) -> dict[str, list[str]]:
    """Labels of each image that exists.

    Args:
        entries: Of :func:`parse_label_json`.
        path: The file, for messages.
        index: The images of the folder.
        near: Folder of the file below the root.
        account: Counts missing images.

    Raises:
        UserError: A duplicate file, also under two names.
    """
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    seen: set[str] = set()
    for name, labels in entries:
        if name in seen:
            raise UserError(f'{path}: duplicate file {printable(name)}; write all labels at once')
        seen.add(name)
        match = index.find(name, near)
        if match.file is None:
            account.lose_image(match.how.partition(':')[0], f'{path}: {printable(name)}')
            continue
        other = names.setdefault(match.file, name)
        if other != name:
            raise UserError(
                f'{path}: duplicate file {printable(name)}, also listed as {printable(other)}'
            )
        if match.how:
            account.repair(f'image found {match.how}', f'{path}: {printable(name)}')
        found[match.file] = labels
    empty = sum(not labels for labels in found.values())
    if empty:
        account.note(f'{path}: no label at {empty} images: none of the classes is on them')
    return found


def _row(row: Any, where: str) -> tuple[Any, Any]:
    entry = dict(row) if isinstance(row, _Pairs) else {}
    if not {'file', 'labels'} <= entry.keys() or not isinstance(entry['file'], str):
        raise UserError(f'{where}: a row without file or labels; {JSON_FORM}')
    return entry['file'], entry['labels']


def _labels(value: Any, name: str, path: str) -> list[str]:
    """The labels of an entry: a text, a list of texts or class numbers, or null."""
    values = [value] if isinstance(value, str) else [] if value is None else value
    fits = isinstance(values, list) and not isinstance(values, _Pairs)
    if not fits or not all(v is None or type(v) in (str, int) for v in values):
        plain = dict(value) if isinstance(value, _Pairs) else value
        raise UserError(
            f'{path}: labels of {printable(name)[:60]} are {_short(plain)}; {JSON_FORM}'
        )
    return unique(
        str(v).strip() for v in values if v is not None and not is_missing(str(v).strip())
    )


def _short(value: Any) -> str:
    return ''.join(c if c.isprintable() else ' ' for c in repr(value))[:60]


def _entries(path: str) -> list[tuple[str, list[str]]] | None:
    """The entries of a file of this form; None for anything else, also for broken files."""
    try:
        return parse_label_json(read_text(path), path)
    except UserError:
        # Another format of JSON, whose reader says what is wrong with it.
        return None


def _names_images(entries: Sequence[tuple[str, list[str]]], index: ImageIndex, near: str) -> bool:
    """Whether files are named: some with their suffix, or half of all images without."""
    sample = [name for name, _ in entries[:: max(1, len(entries) // SAMPLE)]]
    known = {name: index.find(name, near).file for name in sample}
    if any(file and has_image_suffix(name) for name, file in known.items()):
        return True
    images = {file for file in known.values() if file}
    return 0 < min(len(index.images), SAMPLE) <= 2 * len(images)


def _read(
    found: dict[str, list[tuple[str, list[str]]]],
    scan: FolderScan,
    index: ImageIndex,
    account: Account,
) -> AnnotatedImages:
    """Read the files of labels; several are parts by their names.

    Raises:
        UserError: Several files that are no parts, a file that is listed twice, no label.
    """
    parts = {file: part_of_path(osp.splitext(file)[0]) for file in found}
    if len(found) > 1 and len({*parts.values()} - {None}) < len(found):
        raise UserError(
            f'{scan.root}: {len(found)} files give labels to its images '
            f'({named(found, 3)}); give one of the files, or name them train.json, test.json'
        )
    images: list[AnnotatedImage] = []
    for file, entries in found.items():
        labels_of = file_labels(entries, file, index, osp.dirname(file), account)
        part = (parts[file] if len(found) > 1 else None) or 'all'
        images += [AnnotatedImage(i, part, file, labels=mine) for i, mine in labels_of.items()]
    where = named(found, 3)
    for image in sorted(index.images - {image.file for image in images}):
        account.leave_unused(f'image not listed in {where}', image)
    classes = class_order(label for image in images for label in image.labels)
    if images and not classes:
        raise UserError(f'{where}: no label at any file; {JSON_FORM}')
    return AnnotatedImages(images, classes, False)
