"""Data sets in PASCAL VOC's layout, with the objects' boxes."""

import os
import os.path as osp
import re
from collections import Counter
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.formats.voc_xml import clip_boxes, parse_voc_xml
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, image_size
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS

# The devkit's order.
VOC_CLASSES = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow',
    'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa',
    'train', 'tvmonitor',
)  # fmt: skip


@DATASETS.register_module()
class VOCObjects(BaseDataset):
    """A VOC folder with all objects: boxes, labels, difficult, truncated.

    Boxes are xyxy in stored pixels, 0-based edges: VOC counts pixels from 1 and includes the
    last one, so (xmin, ymin, xmax, ymax) becomes (xmin - 1, ymin - 1, xmax, ymax). A box partly
    outside is clipped, and the number of those is logged.

    Args:
        data_root (str): The folder with `Annotations`, `ImageSets`, `JPEGImages`.
        split (str): Reads `ImageSets/Main/<split>.txt`. Defaults to 'trainval'.
        ann_file (str): Another list of ids, below `data_root` or absolute; replaces `split`.
        ids (str, optional): A text file with ids: the split is restricted to them.
        img_dir, ann_dir (str): Folder names. Default to VOC's.
        metainfo (dict, optional): `dict(classes=(…))` for classes of your own.
        allow_unknown (bool): Leave out objects of other classes, and log how many. Defaults to
            False: an error that lists them all.
        with_images (bool): False: for annotations alone, no picture is looked for.
        annotations (bool): False: a split whose annotations are secret (VOC2012 test); metainfo
            then says `annotated=False`, and AP is refused. Defaults to True.
        **kwargs: For mmengine's `BaseDataset` (indices, test_mode, …).

    Each item: img_path, img_id, height, width, gt_bboxes (N, 4) float32, gt_bboxes_labels (N,)
    int64, gt_bboxes_difficult and gt_bboxes_truncated (N,) bool; gt_label and
    gt_label_difficult: sorted classes with an ordinary, a difficult object. height and width
    are the annotation's, else of the picture's header, else None.

    Raises:
        UserError: A folder or list that is not there, an id twice or without a picture, what
            :func:`parse_voc_xml` refuses, a box wholly outside.
    """

    METAINFO = dict(classes=VOC_CLASSES)

    def __init__(
        self,
        data_root,
        split='trainval',
        ann_file='',
        ids=None,
        img_dir='JPEGImages',
        ann_dir='Annotations',
        metainfo=None,
        allow_unknown=False,
        allow_empty=False,
        with_images=True,
        annotations=True,
        pipeline=(),
        **kwargs,
    ):
        self.split, self.ids = split, ids
        self.img_dir, self.ann_dir = img_dir, ann_dir
        self.allow_unknown, self.allow_empty = allow_unknown, allow_empty
        self.with_images, self.annotations = with_images, annotations
        self._unknown = Counter()
        if not annotations:
            metainfo = dict(metainfo or {}, annotated=False)
        super().__init__(
            ann_file=ann_file or osp.join('ImageSets', 'Main', f'{split}.txt'),
            metainfo=metainfo,
            data_root=data_root,
            pipeline=pipeline,
            **kwargs,
        )

    def _folder(self, name):
        path = osp.join(self.data_root, name)
        self._need(osp.isdir(path), 'folder', path)
        return path

    def _need(self, there, what, path):
        if not there:
            raise UserError(
                f'no VOC {what}: {osp.basename(path)}\n'
                f'looked for {osp.abspath(path)} '
                f'(TCNN_DATA={os.environ.get("TCNN_DATA", "not set, so ./data")})\n'
                'what is missing, how to lay it out: '
                f'tcnn check {self.data_root}'
            )

    def _read_lines(self, path):
        self._need(osp.isfile(path), 'list of ids', path)
        try:
            with open(path, encoding='utf-8-sig') as file:
                lines = [line.strip() for line in file if line.strip()]
        except UnicodeDecodeError as error:
            raise UserError(f'{path}: not a text file in UTF-8 ({error})') from error
        if not lines:
            raise UserError(f'{path}: no id in this list')
        return lines

    def _read_ids(self, path):
        ids = self._read_lines(path)
        columns = next((i for i in ids if re.fullmatch(r'\S+\s+(-1|0|1)', i)), None)
        if columns:
            raise UserError(
                f'{path}: "{columns}" is a line of a class file; give a list of ids alone, such as '
                'ImageSets/Main/trainval.txt'
            )
        twice = [i for i, count in Counter(ids).items() if count > 1]
        if twice:
            raise UserError(f'{path}: id {twice[0]} stands twice ({len(twice)} such ids)')
        return ids

    def _chosen_ids(self, ids):
        """The list's ids (of images), or those of them that stand in `self.ids`, in its order."""
        if self.ids is None:
            return ids
        wanted = set(self._read_ids(self.ids))
        strange = sorted(wanted.difference(ids))
        if strange:
            raise UserError(
                f'{self.ids}: id {strange[0]} is not in {self.ann_file} ({len(strange)} such ids)'
            )
        return [i for i in ids if i in wanted]

    def _class_index(self):
        """{class name: label}."""
        classes = self.metainfo['classes']
        if isinstance(classes, str) or len(set(classes)) < len(classes):
            raise UserError(f'classes={classes!r}: neither different names nor a file of them')
        return {name: label for label, name in enumerate(classes)}

    def _pictures(self, ids):
        """Path of each id's picture, by one listing of the folder."""
        if not self.with_images:
            return [None] * len(ids)
        folder, found = self._folder(self.img_dir), {}
        for name in sorted(os.listdir(folder)):
            stem, extension = osp.splitext(name)
            if extension.lower() in IMAGE_SUFFIXES:
                found.setdefault(stem, []).append(osp.join(folder, name))
        for img_id in ids:
            paths = found.get(img_id, [])
            if len(paths) != 1:
                what = f'{len(paths)} pictures' if paths else 'no picture'
                raise UserError(
                    f'{osp.join(folder, img_id)}.*: {what} for this id of {self.ann_file}'
                )
        return [found[img_id][0] for img_id in ids]

    def load_data_list(self):
        self._clipped, self._empty = 0, 0
        self._need(osp.isdir(self.data_root), 'folder', self.data_root)
        index = self._class_index()
        ids = self._chosen_ids(self._read_ids(self.ann_file))
        pictures = self._pictures(ids)
        if self.annotations:
            self._folder(self.ann_dir)
        items = [
            dict(sample_idx=at, img_id=img_id, **self._annotated(img_id, pictures[at], index))
            for at, img_id in enumerate(ids)
        ]
        self._report(items)
        return items

    def _annotated(self, img_id, picture, index):
        """The item of one image, without its number and id."""
        path = osp.join(self.data_root, self.ann_dir, f'{img_id}.xml')
        none = dict(width=None, height=None, objects=[], empty=0)
        annotation = parse_voc_xml(path, self.allow_empty) if self.annotations else none
        self._empty += annotation['empty']
        height, width = annotation['height'], annotation['width']
        if not (height and width) and picture:
            height, width = image_size(picture)
        self._unknown.update(o['name'] for o in annotation['objects'] if o['name'] not in index)
        objects = [o for o in annotation['objects'] if o['name'] in index]
        boxes = np.array([o['box'] for o in objects], float).reshape(-1, 4) - (1, 1, 0, 0)
        boxes = boxes.astype(np.float32)
        if height and width:
            boxes, clipped = clip_boxes(boxes, height, width, path)
            self._clipped += clipped
        labels = np.array([index[o['name']] for o in objects], np.int64)
        difficult = np.array([o['difficult'] for o in objects], bool)
        return dict(
            img_path=picture,
            height=height,
            width=width,
            gt_bboxes=boxes,
            gt_bboxes_labels=labels,
            gt_bboxes_difficult=difficult,
            gt_bboxes_truncated=np.array([o['truncated'] for o in objects], bool),
            gt_label=sorted(set(labels[~difficult].tolist())),
            gt_label_difficult=sorted(set(labels[difficult].tolist())),
        )

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The record of one image, with its labels (K,) in {1, 0, -1} as `image_labels`."""
        info = super().get_data_info(idx)
        classes = self.metainfo['classes']
        info['image_labels'] = image_labels(
            info['gt_label'], info['gt_label_difficult'], len(classes)
        )
        return info

    def _report_unknown(self):
        """Unknown names end here, with all their counts, unless they are allowed."""
        if not self._unknown:
            return
        names = ', '.join(f'{name} ({count})' for name, count in self._unknown.most_common())
        if not self.allow_unknown:
            raise UserError(
                f'{self.ann_file}: objects of unknown classes: {names}; give '
                'metainfo=dict(classes=(…)), or allow_unknown=True to leave them out'
            )
        print_log(f'{self.ann_file}: left out objects of other classes: {names}', 'current')

    def _report(self, items):
        """What was read, for the log: the histogram of the classes."""
        self._report_unknown()
        if self._empty:
            print_log(f'{self.ann_file}: left out {self._empty} empty boxes', 'current')
        if self._clipped:
            print_log(f'{self.ann_file}: clipped {self._clipped} boxes to the picture', 'current')
        lines = [f'{type(self).__name__}: {len(items)} images of {self.ann_file}']
        if self.annotations:
            images, objects = Counter(), Counter()
            for item in items:
                images.update(item['gt_label'])
                flags = item['gt_bboxes_difficult'].tolist()
                objects.update(zip(item['gt_bboxes_labels'].tolist(), flags, strict=True))
            wide = max(len(name) for name in ('class', *self.metainfo['classes']))
            lines.append(f'{"class":{wide}}  images  objects  difficult')
            lines += [
                f'{name:{wide}}  {images[k]:6d}  {objects[k, False]:7d}  {objects[k, True]:9d}'
                for k, name in enumerate(self.metainfo['classes'])
            ]
        print_log('\n'.join(lines), 'current')

    def get_cat_ids(self, idx):
        """Classes of one image, for mmengine's `ClassBalancedDataset`."""
        return self.get_data_info(idx)['gt_label']
