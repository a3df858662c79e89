"""Score result files of the VOC evaluation server against local truth."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.datasets.voc_action import VOCAction
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.ap_report import ap_report
from tcnn_mm.evaluation.result_files import COMPETITIONS, align

# Keys of the rows, labels (N, K), and where they come from.
Truth = tuple[list[tuple[str, ...]], np.ndarray, str]


def truth_of_class_files(root: str, comp: str, split: str, classes: Sequence[str]) -> Truth | None:
    """(keys, (N, K) labels, where from) of the official class files; None if one is absent."""
    folder = osp.join(root, 'ImageSets', COMPETITIONS[comp][0])
    columns = []
    for name in classes:
        path = osp.join(folder, f'{name}_{split}.txt')
        if not osp.isfile(path):
            return None
        with open(path, encoding='utf-8') as file:
            rows = [line.split() for line in file if line.strip()]
        for row in rows:
            if row[-1] not in ('1', '0', '-1'):
                raise UserError(f'{path}: "{" ".join(row)}" ends in no label (1, 0, -1)')
        columns.append({tuple(key): int(label) for *key, label in rows})
    if any(column.keys() != columns[0].keys() for column in columns):
        raise UserError(f'{folder}: the class files of {split} do not list the same keys')
    keys = list(columns[0])
    return keys, np.array([[column[key] for column in columns] for key in keys]), 'class files'


def truth_of_annotations(root: str, comp: str, split: str, classes: Sequence[str]) -> Truth:
    """The same from the annotations of the split."""
    metainfo = dict(classes=tuple(classes))
    # allow_unknown: results may be of some classes only.
    options: dict[str, Any] = dict(
        metainfo=metainfo, allow_unknown=True, with_images=False, test_mode=True
    )
    kind = VOCObjects if COMPETITIONS[comp][1] == 'cls' else VOCAction
    dataset = kind(root, split, **options)
    keys: list[tuple[str, ...]] = []
    labels = []
    for i in range(len(dataset)):
        item = dataset.get_data_info(i)
        number = item.get('object_index')
        keys.append((item['img_id'],) if number is None else (item['img_id'], str(number)))
        labels.append(image_labels(item['gt_label'], item['gt_label_difficult'], len(classes)))
    return keys, np.array(labels), 'annotations'


def score_submission(
    results: Mapping[str, dict[tuple[str, ...], float]],
    root: str,
    comp: str,
    split: str,
    classes: Sequence[str],
    mode: str = 'voc10',
) -> tuple[dict[str, Any], str]:
    """AP of one competition's results.

    Args:
        results (dict): class name → {key: score}, of :func:`read_results`.
        root (str): The VOC folder.
        classes (sequence[str]): All of them must have results.

    Returns:
        tuple[dict, str]: the report (see :func:`ap_report`) and where the truth comes from.
    """
    missing = [name for name in classes if name not in results]
    strange = sorted(results.keys() - set(classes))
    if missing or strange:
        raise UserError(
            f'{comp} {split}: no results for {", ".join(missing) or "none"}; results of unknown '
            f'classes: {", ".join(strange) or "none"}; name the classes with --classes'
        )
    arguments = root, comp, split, classes
    truth = truth_of_class_files(*arguments) or truth_of_annotations(*arguments)
    keys, labels, source = truth
    columns = [align(results[name], keys, f'{comp}_{split}_{name}') for name in classes]
    report = ap_report(comp, classes, np.stack(columns, 1), labels, mode)
    if COMPETITIONS[comp][1] == 'action':
        report.update(images=len({key[0] for key in keys}), persons=len(keys))
    return report, source
