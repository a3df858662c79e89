"""The common base of the data sets whose items have objects or image labels."""

import os
import os.path as osp
import shlex
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.formats.id_list import restrict_ids
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.object_item import class_table
from tcnn_mm.errors import UserError


def require(there: bool, what: str, path: str, data_root: str) -> None:
    """Raise the three-line error of a missing folder or list of a VOC folder."""
    if there:
        return
    raise UserError(
        f'no VOC {what}: {osp.basename(path)}\n'
        f'looked for {osp.abspath(path)} '
        f'(TCNN_DATA={os.environ.get("TCNN_DATA", "not set, so ./data")})\n'
        f'what is missing, how to lay it out: tcnn check {shlex.quote(str(data_root))}'
    )


class ObjectDataset(BaseDataset):
    """Reads items through :meth:`read_items`, counts what is wrong in them and logs a table.

    Args:
        data_root (str): The folder of the data.
        ann_file (str): List or annotations, below `data_root` or absolute.
        ids (str, optional): A text file of image ids: only these images.
        metainfo (dict, optional): `dict(classes=(…))`.
        allow_unknown (bool): Leave out objects of other classes, and log how many. Defaults to
            False: an error that lists them all.
        with_images (bool): False: for annotations alone, no image is looked for. Defaults to True.
        annotations (bool): False: annotations are secret; metainfo then says `annotated=False`,
            and AP is refused. Defaults to True.
        pipeline, **kwargs: For mmengine's `BaseDataset` (indices, test_mode, …).
    """

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        ids: str | None = None,
        metainfo: dict | None = None,
        allow_unknown: bool = False,
        with_images: bool = True,
        annotations: bool = True,
        pipeline: Sequence = (),
        **kwargs: Any,
    ) -> None:
        self.ids, self.allow_unknown = ids, allow_unknown
        self.with_images, self.annotations = with_images, annotations
        if not annotations:
            metainfo = dict(metainfo or {}, annotated=False)
        super().__init__(
            ann_file=ann_file, metainfo=metainfo, data_root=data_root, pipeline=pipeline, **kwargs
        )

    @abstractmethod
    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield the items, without `sample_idx`; each `img_id` is printable (:func:`image_id`).

        Args:
            index: {class name: label}.
        """

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read all items and log what was read.

        Raises:
            UserError: What the reader refuses; objects of unknown classes.
        """
        self._unknown: Counter[str] = Counter()
        self._clipped = self._empty = self._sorted = 0
        items = [
            dict(sample_idx=at, **item) for at, item in enumerate(self.read_items(self._index()))
        ]
        self._report(items)
        return items

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The record of one image, with its labels (K,) in {1, 0, -1} as `image_labels`."""
        info = super().get_data_info(idx)
        if 'gt_label_difficult' in info:
            info['image_labels'] = image_labels(
                info['gt_label'], info['gt_label_difficult'], len(self.metainfo['classes'])
            )
        return info

    def get_cat_ids(self, idx: int) -> list[int]:
        """Classes of one image, for mmengine's `ClassBalancedDataset`."""
        return self.get_data_info(idx)['gt_label']

    def _index(self) -> dict[str, int]:
        classes = self.metainfo['classes']
        if isinstance(classes, str) or len(set(classes)) < len(classes):
            raise UserError(f'classes={classes!r}: neither different names nor a file of them')
        return {name: label for label, name in enumerate(classes)}

    def _restrict(self, ids: Sequence[str]) -> list[str]:
        return restrict_ids(ids, self.ids, self.ann_file)

    def _clip(
        self, boxes: np.ndarray, height: int | None, width: int | None, path: str
    ) -> np.ndarray:
        """Boxes (N, 4) clipped to the image, where its size is known; counts them."""
        if not (height and width):
            return boxes
        boxes, clipped = clip_boxes(boxes, height, width, path)
        self._clipped += clipped
        return boxes

    def _report(self, items: Sequence[dict[str, Any]]) -> None:
        self._report_unknown()
        if self._empty:
            print_log(f'{self.ann_file}: left out {self._empty} empty boxes', 'current')
        if self._sorted:
            print_log(f'{self.ann_file}: sorted the corners of {self._sorted} boxes', 'current')
        if self._clipped:
            print_log(f'{self.ann_file}: clipped {self._clipped} boxes to the image', 'current')
        print_log('\n'.join(self._summary(items)), 'current')

    def _summary(self, items: Sequence[dict[str, Any]]) -> list[str]:
        """Lines for the log: the number of items and a table of the classes."""
        line = f'{type(self).__name__}: {len(items)} images of {self.ann_file}'
        return [line, *(class_table(items, self.metainfo['classes']) if self.annotations else [])]

    def _report_unknown(self) -> None:
        """Unknown names are an error with all their counts, unless they are allowed."""
        if not self._unknown:
            return
        names = ', '.join(f'{name} ({count})' for name, count in self._unknown.most_common())
        if not self.allow_unknown:
            raise UserError(
                f'{self.ann_file}: objects of unknown classes: {names}; give '
                'metainfo=dict(classes=(…)), or allow_unknown=True to leave them out'
            )
        print_log(f'{self.ann_file}: left out objects of other classes: {names}', 'current')
