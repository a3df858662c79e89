"""Pictures with labels of their own and no boxes: a CSV, a JSON, or one folder a class."""

import os.path as osp

import numpy as np

from tcnn_mm.datasets.formats.image_list import read_image_labels
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.registry import DATASETS


@DATASETS.register_module()
class ImageList(VOCObjects):
    """Items of :class:`VOCObjects` without objects: `gt_label` from a list, for weak training.

    Args:
        data_root (str): Folder of the pictures.
        ann_file (str): A `.csv` of rows `file,label[,label…]` or a `.json`, below `data_root` or
            absolute; files are named from `data_root` on. Defaults to none: each folder below
            `data_root` is a class. A picture without label has none of the classes.
        ids (str, optional): A text file of ids: only these pictures.
        metainfo (dict, optional): `dict(classes=(…))`. Defaults to all labels, sorted.
        allow_unknown, **kwargs: As of :class:`VOCObjects`.

    `img_id` is the file as the list names it.

    Raises:
        UserError: What :func:`read_image_labels` refuses, a picture that is not there, a label
            that `classes` lacks.
    """

    def __init__(self, data_root, ann_file='', metainfo=None, **kwargs):
        self._labels = read_image_labels(data_root, ann_file)
        metainfo = dict(metainfo or {})
        names = sorted({label for labels in self._labels.values() for label in labels})
        metainfo.setdefault('classes', tuple(names))
        super().__init__(
            data_root=data_root,
            ann_file=osp.abspath(osp.join(data_root, ann_file)),
            metainfo=metainfo,
            **kwargs,
        )

    def load_data_list(self):
        self._clipped, self._empty = 0, 0
        index, labels = self._class_index(), self.__dict__.pop('_labels')
        chosen = self._chosen_ids(list(labels))
        self._unknown.update(x for name in chosen for x in labels[name] if x not in index)
        items = []
        for at, name in enumerate(chosen):
            path = osp.join(self.data_root, name)
            height, width = image_size(path)
            items.append(
                dict(
                    sample_idx=at,
                    img_path=path,
                    img_id=name,
                    height=height,
                    width=width,
                    gt_bboxes=np.zeros((0, 4), np.float32),
                    gt_bboxes_labels=np.zeros(0, np.int64),
                    gt_bboxes_difficult=np.zeros(0, bool),
                    gt_bboxes_truncated=np.zeros(0, bool),
                    gt_label=sorted({index[x] for x in labels[name] if x in index}),
                    gt_label_difficult=[],
                )
            )
        self._report(items)
        return items
