"""Images with labels but without boxes: a CSV, a JSON, or one folder per class."""

import os.path as osp
from collections.abc import Iterator
from typing import Any

from tcnn_mm.datasets.formats.image_list import read_image_labels
from tcnn_mm.datasets.image_ids import image_id
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.object_dataset import ObjectDataset
from tcnn_mm.datasets.object_item import object_item
from tcnn_mm.registry import DATASETS


@DATASETS.register_module()
class ImageList(ObjectDataset):
    """Items of :class:`VOCObjects` without objects: `gt_label` from a list, for weak training.

    Args:
        data_root (str): Folder of the data.
        ann_file (str): A `.csv` of rows `file,label[,label…]` or a `.json`, below `data_root` or
            absolute. Defaults to none: each folder is a class. An image without label has none
            of the classes. A heading line, other delimiters, columns of 0 and 1 and boxes are
            read as `tcnn fit` reads them.
        img_dir (str): Folder below `data_root` from which the list names files, or which holds
            the class folders. Defaults to `data_root` itself.
        ids (str, optional): A text file of image ids: only these images.
        metainfo (dict, optional): `dict(classes=(…))`. Defaults to all labels, sorted.
        allow_unknown, **kwargs: As of :class:`VOCObjects`.

    `img_id` is the file's path from `data_root` on, with its extension, so that ids of parts
    that lie in different folders of one `data_root` differ.

    Raises:
        UserError: What :func:`read_image_labels` refuses, a missing image, a label that `classes`
            lacks.
    """

    def __init__(
        self,
        data_root: str,
        ann_file: str = '',
        img_dir: str = '',
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        self._labels = read_image_labels(data_root, ann_file, img_dir)
        metainfo = dict(metainfo or {})
        names = {label for labels in self._labels.values() for label in labels}
        metainfo.setdefault('classes', tuple(sorted(names)))
        super().__init__(
            data_root=data_root,
            ann_file=osp.abspath(osp.join(data_root, ann_file or img_dir)),
            metainfo=metainfo,
            **kwargs,
        )

    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield one item per listed image."""
        labels_of, self._labels = self._labels, {}
        for img_id in self._restrict(list(labels_of)):
            labels, path = labels_of[img_id], osp.join(self.data_root, img_id)
            self._unknown.update(label for label in labels if label not in index)
            height, width = image_size(path)
            known = sorted({index[label] for label in labels if label in index})
            item = dict(object_item(), gt_label=known)
            yield dict(img_path=path, img_id=image_id(img_id), height=height, width=width, **item)
