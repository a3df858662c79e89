"""Data sets in COCO's format: one JSON of images, boxes and categories."""

import os.path as osp
from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, Box
from tcnn_mm.datasets.formats.check_boxes import refuse_fractions
from tcnn_mm.datasets.formats.coco import (
    CocoImage,
    normal_name,
    parse_coco,
    read_coco,
)
from tcnn_mm.datasets.image_ids import image_id
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.object_dataset import ObjectDataset
from tcnn_mm.datasets.object_item import object_item
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


@DATASETS.register_module()
class COCOObjects(ObjectDataset):
    """The items of :class:`VOCObjects` from a COCO annotation file.

    A crowd region (`iscrowd`) is a difficult object: it labels no patch, and an image with nothing
    but crowds of a class is left out of that class's loss and AP; so is an annotation marked
    `ignore`. A box that is less than one pixel wide or high, or wholly outside of the image, is
    left out; the log counts those, and the repairs that :mod:`tcnn_mm.datasets.formats.coco` lists.

    Args:
        ann_file (str): The JSON, below `data_root` or absolute.
        data_root (str): Defaults to the JSON's folder.
        img_dir (str): Folder of the images below `data_root`; a `file_name` is looked for in
            it. Defaults to `data_root` itself.
        long_ids (bool): Whether `img_id` begins with `img_dir`: for parts of one data set that
            lie in different folders, whose file names may be the same. Defaults to False.
        ids (str, optional): A text file of image ids: only these images.
        metainfo (dict, optional): `dict(classes=(…))`, in the order of labels. Defaults to all
            categories of the file, by their ids; the root category of Roboflow is not a class.
        allow_unknown, with_images, annotations, **kwargs: As of :class:`VOCObjects`.

    `img_id` is the image's `file_name`, with its extension.

    Raises:
        UserError: What :func:`read_coco` and :func:`parse_coco` refuse, a missing image, boxes
            that are all in fractions of the image's sides.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        img_dir: str = '',
        long_ids: bool = False,
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        path = osp.join(data_root, ann_file)
        data_root = data_root or osp.dirname(osp.abspath(path))
        self.img_dir, self.long_ids = img_dir, long_ids
        self._account = Account()
        content = parse_coco(read_coco(path), path, self._account)
        images = [AnnotatedImage(i.file_name, 'all', i.where, i.objects) for i in content.images]
        refuse_fractions(path, images)
        self._images = content.images
        metainfo = dict(metainfo or {})
        metainfo.setdefault('classes', tuple(content.classes))
        super().__init__(
            data_root=data_root, ann_file=osp.abspath(path), metainfo=metainfo, **kwargs
        )

    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield one item per image of the file."""
        images = {self._img_id(image): image for image in self._images}
        self._images = []
        self._log_account()
        for img_id in self._restrict(list(images)):
            yield dict(img_id=image_id(img_id), **self._item(images[img_id], index))

    def _log_account(self) -> None:
        """Log what the parser repaired or left out."""
        for line in self._account.lines():
            print_log(line, 'current')

    def _img_id(self, image: CocoImage) -> str:
        folder = self.img_dir if self.long_ids else ''
        return osp.normpath(osp.join(folder, normal_name(image.file_name)))

    def _item(self, image: CocoImage, index: dict[str, int]) -> dict[str, Any]:
        """One item without its id."""
        path = osp.join(self.data_root, self.img_dir, normal_name(image.file_name))
        if self.with_images and not osp.isfile(path):
            raise UserError(
                f'{path}: no such image, named by {self.ann_file}; give img_dir, the folder of '
                'the images'
            )
        height, width = image.size_hw or (None, None)
        if self.with_images and not (height and width):
            height, width = image_size(path)
        self._unknown.update(o.name for o in image.objects if o.name not in index)
        found = [o for o in image.objects if o.name in index]
        known = [o for o in found if not _is_empty(o.box, height, width)]
        self._empty += len(found) - len(known)
        objects = known if self.annotations else []
        boxes = np.array([o.box for o in objects], np.float32).reshape(-1, 4)
        return dict(
            img_path=path if self.with_images else None,
            height=height,
            width=width,
            **object_item(
                self._clip(boxes, height, width, self.ann_file),
                [index[o.name] for o in objects],
                [o.difficult for o in objects],
            ),
        )


def _is_empty(box: Box, height: int | None, width: int | None) -> bool:
    """Whether a box is less than a pixel wide or high, or outside of an image of known size."""
    x1, y1, x2, y2 = box
    if min(x2 - x1, y2 - y1) < 1:
        return True
    right, bottom = min(x2, width or x2), min(y2, height or y2)
    return right <= max(x1, 0) or bottom <= max(y1, 0)
