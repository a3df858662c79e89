"""Images anywhere on disk with labels or boxes, listed in one JSON file."""

import json
import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.object_dataset import ObjectDataset
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


def write_records(path: str, classes: Sequence[str], images: Sequence[dict[str, Any]]) -> None:
    """Write the file that :class:`ImageRecords` reads.

    Args:
        path: The file.
        classes: K names.
        images: One dict per image: `id`, `file` (absolute path), `labels` (class numbers), and
            for images with boxes `boxes` (N, 4) xyxy pixels 0-based and `box_labels` (N,).
    """
    with atomic_write(path) as file:
        json.dump(dict(classes=list(classes), images=list(images)), file)


@DATASETS.register_module()
class ImageRecords(ObjectDataset):
    """Items of :class:`VOCObjects` from a JSON file that `PatchVotingClassifier.fit` writes.

    Args:
        ann_file (str): The file, see :func:`write_records`.
        metainfo (dict, optional): `dict(classes=(…))`, which must be the file's classes. Defaults
            to those.
        **kwargs: Of :class:`ObjectDataset` (ids, pipeline, indices, test_mode, …).

    Raises:
        UserError: No such file, another form, other classes, an image that cannot be read.
    """

    def __init__(
        self, ann_file: str, metainfo: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        if not osp.isfile(ann_file):
            raise UserError(f'no image records: {ann_file}\nlooked for {osp.abspath(ann_file)}')
        with open(ann_file, encoding='utf-8') as file:
            content = json.load(file)
        if not isinstance(content, dict) or not {'classes', 'images'} <= content.keys():
            raise UserError(f'{ann_file}: no image records: needs the keys "classes", "images"')
        classes = tuple((metainfo or {}).get('classes') or content['classes'])
        if classes != tuple(content['classes']):
            raise UserError(
                f'{ann_file}: classes {", ".join(content["classes"])}, the config says '
                f'{", ".join(classes)}'
            )
        self._records: list[dict[str, Any]] = content['images']
        super().__init__(
            data_root='',
            ann_file=osp.abspath(ann_file),
            metainfo=dict(metainfo or {}, classes=classes),
            **kwargs,
        )

    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield one item per image of the file, in its order; sizes come from the image headers."""
        return map(self._item, self._records)

    def _item(self, record: dict[str, Any]) -> dict[str, Any]:
        """The item of one image, as of `VOCObjects`."""
        height, width = image_size(record['file'])
        boxes = np.array(record.get('boxes', []), np.float32).reshape(-1, 4)
        return dict(
            img_path=record['file'],
            img_id=record['id'],
            height=height,
            width=width,
            gt_bboxes=boxes,
            gt_bboxes_labels=np.array(record.get('box_labels', []), np.int64),
            gt_bboxes_difficult=np.zeros(len(boxes), bool),
            gt_bboxes_truncated=np.zeros(len(boxes), bool),
            gt_label=sorted(set(record['labels'])),
            gt_label_difficult=[],
        )
