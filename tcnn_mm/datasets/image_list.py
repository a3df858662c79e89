"""Pictures with labels of their own and no boxes: a CSV, a JSON, or one folder a class."""

import csv
import json
import os
import os.path as osp

import numpy as np

from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.voc import EXTENSIONS, VOCObjects
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


def read_csv(path):
    """Rows `file,label[,label…]` → {file: [label, …]}.

    A first row whose first cell is `file`, `image`, `filename` or `path` is a heading.

    Raises:
        UserError: A file that stands twice; an empty first cell; no row.
    """
    found = {}
    with open(path, encoding='utf-8-sig', newline='') as file:
        for number, row in enumerate(csv.reader(file), 1):
            cells = [cell.strip() for cell in row]
            heading = number == 1 and cells[:1] and cells[0].lower() in (
                'file', 'image', 'filename', 'path',
            )  # fmt: skip
            if heading or not any(cells):
                continue
            if not cells[0] or cells[0] in found:
                what = f'{cells[0]} stands twice' if cells[0] else 'no file name'
                raise UserError(f'{path}, line {number}: {what}; write file,label[,label…]')
            found[cells[0]] = [cell for cell in cells[1:] if cell]
    return found


def read_json(path):
    """`{"file": ["label", …]}`, or `[{"file": …, "labels": […]}]`, → {file: [label, …]}.

    Raises:
        UserError: Another form; names what was found.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except ValueError as error:
        raise UserError(f'{path}: no JSON ({error})') from error
    form = 'write {"file": ["label", …], …} or [{"file": …, "labels": […]}, …]'
    if isinstance(content, list):
        try:
            pairs = [(row['file'], row['labels']) for row in content]
        except (TypeError, KeyError) as error:
            raise UserError(f'{path}: a row without file or labels; {form}') from error
        content = dict(pairs)
        if len(content) < len(pairs):
            raise UserError(f'{path}: a file stands twice')
    if not isinstance(content, dict):
        raise UserError(f'{path}: {type(content).__name__} found; {form}')
    found = {str(k): [v] if isinstance(v, str) else v for k, v in content.items()}
    wrong = next((k for k, v in found.items() if not isinstance(v, list)), None)
    if wrong is not None:
        raise UserError(f'{path}: labels of {wrong} are {found[wrong]!r}; {form}')
    return {name: [str(label) for label in labels] for name, labels in found.items()}


def read_folders(root):
    """One folder a class: {'class/file': ['class']}, sorted; deeper folders belong to the class."""
    found = {}
    for name in sorted(os.listdir(root)):
        for folder, _, files in sorted(os.walk(osp.join(root, name))):
            for file in sorted(files):
                if file.lower().endswith(EXTENSIONS):
                    found[osp.relpath(osp.join(folder, file), root)] = [name]
    return found


def read_image_labels(data_root, ann_file=''):
    """{file: [label, …]} of a list, or of the folders of `data_root` where none is given.

    Raises:
        UserError: What the readers refuse, a list that is not there, no picture.
    """
    path = osp.join(data_root, ann_file) if ann_file else data_root
    if not (osp.isfile(path) if ann_file else osp.isdir(path)):
        raise UserError(f'no image labels: {path}\nlooked for {osp.abspath(path)}')
    if not ann_file:
        found = read_folders(path)
    else:
        found = (read_json if path.lower().endswith('.json') else read_csv)(path)
    if not found:
        what = 'no picture' if ann_file else f'no folder with pictures ({", ".join(EXTENSIONS)})'
        raise UserError(f'{path}: {what} in it')
    return found


@DATASETS.register_module()
class ImageList(VOCObjects):
    """Items of :class:`VOCObjects` without objects: `gt_label` from a list, for weak training.

    Args:
        data_root (str): Folder of the pictures.
        ann_file (str): A `.csv` of rows `file,label[,label…]` or a `.json`, below `data_root` or
            absolute; files are named from `data_root` on. Defaults to none: each folder below
            `data_root` is a class. A picture without label has none of the classes.
        ids (str, optional): A text file of ids: only these pictures.
        metainfo (dict, optional): `dict(classes=(…))`. Defaults to all labels, sorted.
        allow_unknown, **kwargs: As of :class:`VOCObjects`.

    `img_id` is the file as the list names it.

    Raises:
        UserError: What :func:`read_image_labels` refuses, a picture that is not there, a label
            that `classes` lacks.
    """

    def __init__(self, data_root, ann_file='', metainfo=None, **kwargs):
        self._labels = read_image_labels(data_root, ann_file)
        metainfo = dict(metainfo or {})
        names = sorted({label for labels in self._labels.values() for label in labels})
        metainfo.setdefault('classes', tuple(names))
        super().__init__(
            data_root=data_root,
            ann_file=osp.abspath(osp.join(data_root, ann_file)),
            metainfo=metainfo,
            **kwargs,
        )

    def load_data_list(self):
        self._clipped, self._empty = 0, 0
        index, labels = self._class_index(), self.__dict__.pop('_labels')
        chosen = self._chosen_ids(list(labels))
        self._unknown.update(x for name in chosen for x in labels[name] if x not in index)
        items = []
        for at, name in enumerate(chosen):
            path = osp.join(self.data_root, name)
            height, width = image_size(path)
            items.append(
                dict(
                    sample_idx=at,
                    img_path=path,
                    img_id=name,
                    height=height,
                    width=width,
                    gt_bboxes=np.zeros((0, 4), np.float32),
                    gt_bboxes_labels=np.zeros(0, np.int64),
                    gt_bboxes_difficult=np.zeros(0, bool),
                    gt_bboxes_truncated=np.zeros(0, bool),
                    gt_label=sorted({index[x] for x in labels[name] if x in index}),
                    gt_label_difficult=[],
                )
            )
        self._report(items)
        return items
