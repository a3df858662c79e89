"""A small VOC that needs no download: drawn on first use, the same on every machine."""

import os
from collections import Counter
from typing import Any

from mmengine.fileio import join_path, list_from_file

from tcnn_mm.datasets.mini_voc.prepare import prepare
from tcnn_mm.datasets.mini_voc.shapes import SOURCE_CLASSES, TARGET_CLASSES
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.errors import InvalidValueError
from tcnn_mm.registry import DATASETS

CLASSES = {'target': TARGET_CLASSES, 'source': SOURCE_CLASSES}
SPLITS = {'target': ('train', 'val', 'trainval', 'test'), 'source': ('train', 'val', 'trainval')}


@DATASETS.register_module()
class MiniVOC(VOCObjects):
    """The embedded data set, with a source task and a target task that share no class.

    * `task='target'`: scenes of 160×120 or 120×160 pixels with one to four objects of six
      classes, in VOC's folder layout; splits train (60), val (60), trainval, test (120). Items
      are those of :class:`VOCObjects`.
    * `task='source'`: 64×64 images of one object of twelve other classes; splits train (13000),
      val (1000), trainval. Items are those of a classification data set: `img_path`, `img_id`
      and an int `gt_label`.

    Args:
        task (str): 'target' or 'source'. Defaults to 'target'.
        split (str): See above. Defaults to 'train'.
        data_root (str, optional): Folder in which the set is drawn at first use. Defaults to
            `$TCNN_CACHE`, else `~/.cache/tcnn_mm`.
        num_source (int): Training images of the source task. Defaults to 13000.
        **kwargs: pipeline, test_mode … of :class:`VOCObjects`.
    """

    def __init__(
        self,
        task: str = 'target',
        split: str = 'train',
        data_root: str | os.PathLike | None = None,
        num_source: int = 13000,
        **kwargs: Any,
    ) -> None:
        if task not in CLASSES:
            raise InvalidValueError(f'MiniVOC: task={task!r}; choose from {sorted(CLASSES)}')
        if split not in SPLITS[task]:
            raise InvalidValueError(
                f'MiniVOC: split={split!r} of the {task} task; choose from {SPLITS[task]}'
            )
        self.task = task
        own = dict(classes=CLASSES[task], dataset_type='MiniVOC')
        metainfo = {**own, **(kwargs.pop('metainfo', None) or {})}
        folder = prepare(task, data_root, num_source)
        super().__init__(data_root=str(folder), split=split, metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Annotations of the target task, or one class per image of the source task."""
        if self.task == 'target':
            return super().load_data_list()
        index, rows = self._index(), list(map(str.split, list_from_file(self.ann_file)))
        self._unknown = Counter(label for _, label in rows if label not in index)
        self._report_unknown()
        return [
            dict(
                img_path=join_path(self.data_root, self.img_dir, f'{name}.png'),
                img_id=name,
                gt_label=index[label],
            )
            for name, label in rows
            if label in index
        ]
