"""Readers of image labels without boxes: a CSV, a JSON, or one folder per class."""

import csv
import json
import os
import os.path as osp
from collections.abc import Sequence
from typing import Any

from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError

CSV_FORM = 'write file,label[,label…]'
JSON_FORM = 'write {"file": ["label", …], …} or [{"file": …, "labels": […]}, …]'
HEADINGS = ('file', 'image', 'filename', 'path')


def read_csv(path: str) -> dict[str, list[str]]:
    """Read rows `file,label[,label…]`.

    A first row whose first cell is `file`, `image`, `filename` or `path` is a heading.

    Args:
        path: The file, UTF-8.

    Returns:
        {file as written: labels}, in the file's order.

    Raises:
        UserError: A duplicate file, an empty first cell, not UTF-8; one line with the row's number.
    """
    found: dict[str, list[str]] = {}
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f'{path}: not a CSV file in UTF-8 ({error}); {CSV_FORM}') from error
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() in HEADINGS):
            continue
        if not cells[0] or cells[0] in found:
            what = f'duplicate file {cells[0]}' if cells[0] else 'no file name'
            raise UserError(f'{path}, line {number}: {what}; {CSV_FORM}')
        found[cells[0]] = [cell for cell in cells[1:] if cell]
    return found


def read_json(path: str) -> dict[str, list[str]]:
    """Read `{"file": ["label", …]}` or `[{"file": …, "labels": […]}, …]`.

    Args:
        path: The file, UTF-8.

    Returns:
        {file as written: labels}, in the file's order.

    Raises:
        UserError: Another form, a duplicate file; says what was found.
    """

    def unique(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [name for name, _ in pairs]
            duplicate = next(name for name in names if names.count(name) > 1)
            raise UserError(f'{path}: duplicate file {duplicate}')
        return content

    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file, object_pairs_hook=unique)
    except ValueError as error:
        raise UserError(f'{path}: not JSON ({error})') from error
    if isinstance(content, list):
        try:
            content = unique([(row['file'], row['labels']) for row in content])
        except (TypeError, KeyError) as error:
            raise UserError(f'{path}: a row without file or labels; {JSON_FORM}') from error
    if not isinstance(content, dict):
        raise UserError(f'{path}: {type(content).__name__} found; {JSON_FORM}')
    found = {str(k): [v] if isinstance(v, str) else v for k, v in content.items()}
    wrong = next((k for k, v in found.items() if not isinstance(v, list)), None)
    if wrong is not None:
        raise UserError(f'{path}: labels of {wrong} are {found[wrong]!r}; {JSON_FORM}')
    return {name: [str(label) for label in labels] for name, labels in found.items()}


def read_folders(root: str) -> dict[str, list[str]]:
    """List the images of a folder with one sub-folder per class.

    Args:
        root: The folder. Files of deeper folders belong to the class above them.

    Returns:
        {'class/…/file': ['class']}, sorted by class, folder and file.
    """
    found = {}
    for name in sorted(os.listdir(root)):
        for folder, _, files in sorted(os.walk(osp.join(root, name))):
            for file in sorted(files):
                if file.lower().endswith(IMAGE_SUFFIXES):
                    found[osp.relpath(osp.join(folder, file), root)] = [name]
    return found


def read_image_labels(
    data_root: str, ann_file: str = '', img_dir: str = ''
) -> dict[str, list[str]]:
    """Read the labels of a list, or of the class folders where no list is given.

    Args:
        data_root: The folder of the data.
        ann_file: A `.csv` or `.json`, below `data_root` or absolute. Defaults to none.
        img_dir: Folder below `data_root` that the list's files, or the class folders, lie in.

    Returns:
        {path relative to `data_root`, with its extension: labels}: the image ids.

    Raises:
        UserError: What the readers refuse, a missing list or folder, no image, one file under
            two names.
    """
    folder = osp.join(data_root, img_dir)
    path = osp.join(data_root, ann_file) if ann_file else folder
    if not (osp.isfile(path) if ann_file else osp.isdir(path)):
        raise UserError(f'no image labels: {path}\nlooked for {osp.abspath(path)}')
    if not ann_file:
        found = read_folders(path)
    else:
        found = (read_json if path.lower().endswith('.json') else read_csv)(path)
    if not found:
        suffixes = ', '.join(IMAGE_SUFFIXES)
        what = 'no image' if ann_file else f'no folder with images ({suffixes})'
        raise UserError(f'{path}: {what} in it')
    places: dict[str, str] = {}
    for name in found:
        other = places.setdefault(osp.normpath(name), name)
        if other != name:
            raise UserError(f'{path}: duplicate file {name}, also listed as {other}')
    return {osp.join(img_dir, name): labels for name, labels in found.items()}
