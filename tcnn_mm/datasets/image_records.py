"""Images anywhere on disk with labels or boxes, listed in one JSON file."""

import json
import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.object_dataset import ObjectDataset
from tcnn_mm.datasets.object_item import object_item
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


def write_records(path: str, classes: Sequence[str], images: Sequence[dict[str, Any]]) -> None:
    """Write the file that :class:`ImageRecords` reads.

    Args:
        path: The file.
        classes: K names.
        images: One dict per image: `id`, `file` (absolute path), `labels` (class numbers). Images
            with boxes have `boxes` (N, 4) xyxy pixels 0-based, `box_labels` (N,), and perhaps
            `difficult` and `truncated` (N,). `unknown`: class numbers of which nobody said whether
            the image has them; AP counts it neither as with nor as without. `size_hw`, height and
            width as the image is read, is taken from the image's header where it is missing.
    """
    with atomic_write(path) as file:
        json.dump(dict(classes=list(classes), images=list(images)), file)


@DATASETS.register_module()
class ImageRecords(ObjectDataset):
    """Items of :class:`VOCObjects` from a JSON file that `tcnn fit` writes.

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
        """Yield one item per image of the file, in its order."""
        records = {record['id']: record for record in self._records}
        return (self._item(records[img_id]) for img_id in self._restrict(list(records)))

    def _item(self, record: dict[str, Any]) -> dict[str, Any]:
        """The item of one image, as of `VOCObjects`."""
        height, width = record.get('size_hw') or image_size(record['file'])
        item = object_item(
            record.get('boxes', ()),
            record.get('box_labels', ()),
            record.get('difficult'),
            record.get('truncated'),
        )
        labels = set(item['gt_label']).union(record['labels'])
        unknown = set(item['gt_label_difficult']).union(record.get('unknown', ()))
        item.update(gt_label=sorted(labels), gt_label_difficult=sorted(unknown))
        return dict(
            img_path=record['file'], img_id=record['id'], height=height, width=width, **item
        )
