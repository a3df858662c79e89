"""What data of any layout that `fit` reads hold: classes, images that cannot be read, coverage."""

import os.path as osp
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.registry import init_default_scope

from tcnn_mm.compat import quiet_log
from tcnn_mm.datasets.formats.detect_format import detect_format
from tcnn_mm.datasets.image_io import image_size, load_bgr
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fit_data import open_parts
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.labeler import PatchLabeler


class DataReport(NamedTuple):
    """What is in a folder or a file of annotations.

    Attributes:
        lines: The report, without the problems.
        problems: Images that cannot be read.
    """

    lines: list[str]
    problems: list[str]


def report_data(path: str, decode: bool = False, coverage: bool = True) -> DataReport:
    """Read data as `fit` would; nothing is written into them.

    Args:
        path: A folder, or the file of annotations.
        decode: Decode every image, not only its header.
        coverage: Measure which objects the patches of the default grid can name.

    Raises:
        UserError: No known layout, or annotations that cannot be read.
    """
    init_default_scope('mmpretrain')
    layout = detect_format(path)
    with tempfile.TemporaryDirectory() as lists, quiet_log():
        built, _, classes = open_parts(layout, lists)
        infos = {role: [d.get_data_info(i) for i in range(len(d))] for role, d in built.items()}
    lines = [layout.description, *class_table(infos, classes, layout.weak)]
    problems = _unreadable([info for mine in infos.values() for info in mine], decode)
    if layout.weak:
        lines.append('no boxes: training will be weak, from image labels')
    elif coverage and not problems:
        role = training_part(infos)
        lines += _coverage(role, infos[role], classes)
    return DataReport(lines, problems)


def coverage_lines(path: str) -> list[str]:
    """Which objects of the training part the patches of the paper's nine scales can name.

    Raises:
        UserError: No known layout with boxes, or annotations that cannot be read.
    """
    init_default_scope('mmpretrain')
    layout = detect_format(path)
    role = training_part(layout.parts)
    with tempfile.TemporaryDirectory() as lists, quiet_log():
        built, _, classes = open_parts(layout._replace(parts={role: layout.parts[role]}), lists)
    data = built[role]
    return _coverage(role, [data.get_data_info(i) for i in range(len(data))], classes)


def training_part(parts: Collection[str]) -> str:
    """The part that is trained on: 'train', else 'trainval', else 'all', else the first."""
    return next(role for role in ('train', 'trainval', 'all', *parts) if role in parts)


def _coverage(role: str, infos: list[dict[str, Any]], classes: Sequence[str]) -> list[str]:
    """The table of :func:`measure_coverage` for the default grid, with a title."""
    labeler = PatchLabeler(num_classes=len(classes))
    report = measure_coverage(infos, classes, PatchGrid(), labeler)
    return [f"coverage of {role} by the paper's nine scales:", *report.table()]


def class_table(
    infos: Mapping[str, Sequence[Mapping[str, Any]]], classes: Sequence[str], weak: bool
) -> list[str]:
    """Images per part, then images per class and part, and objects per class.

    Args:
        infos: `get_data_info` of all images, by part.
        weak: Without boxes there are no objects to count.
    """
    images = {
        role: Counter(int(k) for info in mine for k in np.unique(info['gt_label']))
        for role, mine in infos.items()
    }
    objects: Counter[int] = Counter()
    if not weak:
        for mine in infos.values():
            objects.update(int(k) for info in mine for k in info['gt_bboxes_labels'])
    wide = max([len(name) for name in classes] + [6])
    columns = [(role, max(len(role), 6)) for role in infos]
    head = f'{"class":{wide}}' + ('' if weak else f'  {"objects":>7}')
    lines = [
        'images: ' + ', '.join(f'{role} {len(mine)}' for role, mine in infos.items()),
        head + ''.join(f'  {role:>{w}}' for role, w in columns),
    ]
    for k, name in enumerate(classes):
        count = '' if weak else f'  {objects[k]:7d}'
        cells = ''.join(f'  {images[role][k]:{w}d}' for role, w in columns)
        lines.append(f'{name:{wide}}{count}{cells}')
    return lines


def _unreadable(infos: Sequence[Mapping[str, Any]], decode: bool) -> list[str]:
    """Messages of the images that cannot be read, each file once."""
    problems = []
    for path in dict.fromkeys(info['img_path'] for info in infos):
        if not osp.isfile(path):
            problems.append(f'{path}: no such image')
            continue
        try:
            load_bgr(path) if decode else image_size(path)
        except UserError as error:
            problems.append(str(error))
    return problems
