"""What annotated images of any format hold: classes, parts, what is left out, coverage."""

import tempfile
from collections.abc import Sequence
from typing import Any

from mmengine.registry import init_default_scope

from tcnn_mm.compat import quiet_log
from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.estimator.class_table import class_table
from tcnn_mm.estimator.fit_data import infos_of, write_found
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.labeler import PatchLabeler
from tcnn_mm.registry import DATASETS

# Parts whose objects must be named by patches: all but those that are only tested on.
TESTED = ('val', 'test')


def report_data(
    data: str | Sequence[str], options: ReadOptions | None = None, coverage: bool = True
) -> list[str]:
    """Read data as `tcnn fit` does and describe them in lines; nothing is written into them.

    Args:
        data: Folders, or files of annotations.
        options: Of :func:`read_data`.
        coverage: Measure which objects the patches of the default grid can name.

    Raises:
        UserError: What :func:`read_data` refuses: then `tcnn fit` would not train either.
    """
    init_default_scope('mmpretrain')
    found = read_data(data, options)
    with tempfile.TemporaryDirectory() as folder, quiet_log():
        source = dict(type='tcnn_mm.ImageRecords', ann_file=write_found(found, folder))
        items = infos_of(DATASETS.build(source))
    parts: dict[str, list[dict[str, Any]]] = {}
    for image, item in zip(found.images, items, strict=True):
        parts.setdefault(image.checked.image.part, []).append(item)
    weak = not found.boxes
    lines = [found.description, *class_table(parts, found.classes, weak), *found.account.lines()]
    if weak:
        lines.append('no boxes: training will be weak, from image labels')
    elif coverage:
        trained = [item for part, mine in parts.items() if part not in TESTED for item in mine]
        lines += coverage_table(trained or items, found.classes)
    return lines


def coverage_table(items: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[str]:
    """The table of :func:`measure_coverage` for the paper's nine scales, with a title.

    Args:
        items: `get_data_info` of the images for training.
    """
    labeler = PatchLabeler(num_classes=len(classes))
    report = measure_coverage(items, classes, PatchGrid(), labeler)
    return [
        f"coverage of {len(items)} images for training by the paper's nine scales:",
        *report.table(),
    ]
