"""The annotation part of a data set's item: objects and the image's labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def object_item(
    boxes: ArrayLike = (),
    labels: ArrayLike = (),
    difficult: ArrayLike | None = None,
    truncated: ArrayLike | None = None,
) -> dict[str, Any]:
    """Make the annotation keys of one item.

    Args:
        boxes: (N, 4) xyxy in stored pixels, 0-based edges.
        labels: (N,) class indices.
        difficult, truncated: (N,) flags. Default to none of the objects.

    Returns:
        gt_bboxes (N, 4) float32, gt_bboxes_labels (N,) int64, gt_bboxes_difficult and
        gt_bboxes_truncated (N,) bool; gt_label and gt_label_difficult: sorted classes with an
        ordinary, a difficult object.
    """
    labels = np.asarray(labels, np.int64).reshape(-1)
    none = np.zeros(len(labels), bool)
    hard = none if difficult is None else np.asarray(difficult, bool).reshape(-1)
    return dict(
        gt_bboxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        gt_bboxes_labels=labels,
        gt_bboxes_difficult=hard,
        gt_bboxes_truncated=none.copy() if truncated is None else np.asarray(truncated, bool),
        gt_label=sorted(set(labels[~hard].tolist())),
        gt_label_difficult=sorted(set(labels[hard].tolist())),
    )


def class_table(items: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> list[str]:
    """Lines of a table: images, ordinary objects and difficult objects per class."""
    images, objects = Counter[int](), Counter[tuple[int, bool]]()
    for item in items:
        images.update(item['gt_label'])
        flags = item['gt_bboxes_difficult'].tolist()
        objects.update(zip(item['gt_bboxes_labels'].tolist(), flags, strict=True))
    wide = max(len(name) for name in ('class', *classes))
    return [f'{"class":{wide}}  images  objects  difficult'] + [
        f'{name:{wide}}  {images[k]:6d}  {objects[k, False]:7d}  {objects[k, True]:9d}'
        for k, name in enumerate(classes)
    ]
