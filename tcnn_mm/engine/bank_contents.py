"""What a feature bank was made of: its annotations, compared with those of today."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

Record = dict[str, Any]

ANNOTATIONS = (
    'gt_label', 'gt_label_difficult', 'gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult',
)  # fmt: skip


# What a bank reads of an item.
NEEDED = (
    'img_id', 'img_path', 'gt_label', 'gt_label_difficult', 'gt_bboxes', 'gt_bboxes_labels',
    'gt_bboxes_difficult',
)  # fmt: skip


def refuse_unknown_items(dataset: BaseDataset) -> None:
    """Raise a UserError for a data set whose items lack what a bank reads of them."""
    lacking = [key for key in NEEDED if key not in dataset.get_data_info(0)] if len(dataset) else []
    if lacking:
        raise UserError(
            f'{type(dataset).__name__}: its items have no {", ".join(lacking)}, which a feature '
            'bank reads; docs/guides/add_a_data_set.md shows a data set with them'
        )


def image_record(
    info: Mapping[str, Any], size_hw: tuple[int, int], objects: np.ndarray
) -> dict[str, Any]:
    """Return what a manifest keeps of an image: id, path, labels, size and objects (N, 4)."""
    record = {k: info[k] for k in ('img_id', 'img_path', 'gt_label', 'gt_label_difficult')}
    return dict(
        record,
        img_id=str(info['img_id']),
        size_hw=list(size_hw),
        gt_bboxes=objects.tolist(),
        gt_bboxes_labels=info['gt_bboxes_labels'].tolist(),
        gt_bboxes_difficult=info['gt_bboxes_difficult'].tolist(),
    )


def annotation_record(info: Mapping[str, Any], size_hw: tuple[int, int]) -> Record:
    """The record of an image whose size (height, width) is known."""
    objects, _ = clip_boxes(info['gt_bboxes'], *size_hw, info['img_path'])
    return image_record(info, size_hw, objects)


def changed_annotations(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Ids of the images whose labels, boxes or flags differ; keys missing before are skipped."""
    return [
        new['img_id']
        for old, new in zip(before, now, strict=True)
        if any(_plain(old[k]) != _plain(new[k]) for k in ANNOTATIONS if k in old)
    ]


def _plain(value: Any) -> Any:
    """As JSON gives it: lists for tuples and arrays."""
    return np.asarray(value).tolist()


def some_ids(ids: Sequence[str], most: int = 3) -> str:
    """'2 images (a, b)', '20 images (a, b, c, …)'."""
    shown = ', '.join([*map(printable, ids[:most]), *(['…'] if len(ids) > most else [])])
    return f'{len(ids)} image{"s" if len(ids) > 1 else ""} ({shown})'
