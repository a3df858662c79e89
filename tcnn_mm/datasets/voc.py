"""Data sets in PASCAL VOC's layout, with the objects' boxes."""

import os
import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tcnn_mm.datasets.formats.id_list import read_ids
from tcnn_mm.datasets.formats.voc_xml import VOCAnnotation, parse_voc_xml
from tcnn_mm.datasets.image_ids import image_id, printable
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, image_size
from tcnn_mm.datasets.object_dataset import ObjectDataset, require
from tcnn_mm.datasets.object_item import object_item
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS

# The devkit's order.
VOC_CLASSES = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow',
    'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa',
    'train', 'tvmonitor',
)  # fmt: skip


def edges(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """VOC's boxes, counted from 1 with the last pixel included, as 0-based edges (N, 4) float32."""
    array = np.array(boxes, np.float64).reshape(-1, 4) - (1, 1, 0, 0)
    return array.astype(np.float32)


def find_images(folder: str, ids: Sequence[str], ann_file: str) -> list[str]:
    """Find the image of each id by one listing of the folder.

    Args:
        folder: Of the images, whose names are the ids with any of `IMAGE_SUFFIXES`.
        ids: Image ids.
        ann_file: Their list, for the error.

    Returns:
        Paths, in the order of `ids`.

    Raises:
        UserError: An id with no image, or with several.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        stem, suffix = osp.splitext(name)
        if suffix.lower() in IMAGE_SUFFIXES:
            found.setdefault(stem, []).append(osp.join(folder, name))
    for img_id in ids:
        paths = found.get(img_id, [])
        if len(paths) != 1:
            what = f'{len(paths)} images' if paths else 'no image'
            where = printable(osp.join(folder, img_id))
            raise UserError(f'{where}.*: {what} for this id of {ann_file}')
    return [found[img_id][0] for img_id in ids]


@DATASETS.register_module()
class VOCObjects(ObjectDataset):
    """A VOC folder with all objects: boxes, labels, difficult, truncated.

    Boxes are xyxy in stored pixels, 0-based edges: VOC counts pixels from 1 and includes the
    last one, so (xmin, ymin, xmax, ymax) becomes (xmin - 1, ymin - 1, xmax, ymax). A box partly
    outside is clipped, and the number of those is logged.

    Args:
        data_root (str): The folder with `Annotations`, `ImageSets`, `JPEGImages`.
        split (str): Reads `ImageSets/Main/<split>.txt`. Defaults to 'trainval'.
        ann_file (str): Another list of ids, below `data_root` or absolute; replaces `split`.
            Defaults to ''.
        ids (str, optional): A text file with ids: the split is restricted to them.
        img_dir (str): Folder of the images. Defaults to 'JPEGImages'.
        ann_dir (str): Folder of the annotations. Defaults to 'Annotations'.
        metainfo (dict, optional): `dict(classes=(…))` for classes of your own.
        allow_unknown (bool): Leave out objects of other classes, and log how many. Defaults to
            False: an error that lists them all.
        allow_empty (bool): Leave out objects with an empty box, and log how many. Defaults to
            False: an error.
        with_images (bool): False: for annotations alone, no image is looked for. Defaults to True.
        annotations (bool): False: a split whose annotations are secret (VOC2012 test); metainfo
            then says `annotated=False`, and AP is refused. Defaults to True.
        **kwargs: For mmengine's `BaseDataset` (indices, test_mode, …).

    Each item: img_path, img_id (as the list says it), height, width and the keys of
    :func:`object_item`. height and width are the annotation's, else of the image's header, else
    None.

    Raises:
        UserError: A missing folder or list, a duplicate id, an id without image, what
            :func:`parse_voc_xml` refuses, a box wholly outside.
    """

    METAINFO: dict[str, Any] = dict(classes=VOC_CLASSES)

    def __init__(
        self,
        data_root: str,
        split: str = 'trainval',
        ann_file: str = '',
        img_dir: str = 'JPEGImages',
        ann_dir: str = 'Annotations',
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        self.split, self.allow_empty = split, allow_empty
        self.img_dir, self.ann_dir = img_dir, ann_dir
        ann_file = ann_file or osp.join('ImageSets', 'Main', f'{split}.txt')
        super().__init__(data_root=data_root, ann_file=ann_file, **kwargs)

    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield one item per id of the list."""
        self._require_folder('')
        ids = self._restrict(read_ids(self._require_list()))
        paths = self._image_paths(ids)
        if self.annotations:
            self._require_folder(self.ann_dir)
        for img_id, img_path in zip(ids, paths, strict=True):
            path = self._annotation_path(img_id)
            annotation = self._annotation(path, img_path)
            yield dict(
                img_path=img_path,
                img_id=image_id(img_id),
                height=annotation['height'],
                width=annotation['width'],
                **self._objects(annotation, path, index),
            )

    def _objects(
        self, annotation: VOCAnnotation, path: str, index: dict[str, int]
    ) -> dict[str, Any]:
        """The objects of known classes of one annotation."""
        self._empty += annotation['empty']
        self._sorted += annotation['sorted']
        self._unknown.update(o['name'] for o in annotation['objects'] if o['name'] not in index)
        objects = [o for o in annotation['objects'] if o['name'] in index]
        boxes = edges([o['box'] for o in objects])
        return object_item(
            self._clip(boxes, annotation['height'], annotation['width'], path),
            [index[o['name']] for o in objects],
            [o['difficult'] for o in objects],
            [o['truncated'] for o in objects],
        )

    def _annotation(
        self, path: str, img_path: str | None, read: bool | None = None
    ) -> VOCAnnotation:
        """One annotation, its size completed from the image's header.

        Args:
            read: Whether the file is read at all. Defaults to `annotations`.
        """
        annotation = VOCAnnotation(
            width=None, height=None, objects=[], empty=0, sorted=0, filename=''
        )
        if self.annotations if read is None else read:
            annotation = parse_voc_xml(path, self.allow_empty)
        if img_path and not (annotation['height'] and annotation['width']):
            annotation['height'], annotation['width'] = image_size(img_path)
        return annotation

    def _annotation_path(self, img_id: str) -> str:
        return osp.join(self.data_root, self.ann_dir, f'{img_id}.xml')

    def _image_paths(self, ids: Sequence[str]) -> list[str | None]:
        if not self.with_images:
            return [None] * len(ids)
        return list(find_images(self._require_folder(self.img_dir), ids, self.ann_file))

    def _require_folder(self, name: str) -> str:
        path = osp.join(self.data_root, name) if name else self.data_root
        require(osp.isdir(path), 'folder', path, self.data_root)
        return path

    def _require_list(self) -> str:
        require(osp.isfile(self.ann_file), 'list of ids', self.ann_file, self.data_root)
        return self.ann_file
