"""Data sets in COCO's format (one JSON of boxes), through mmdet's `CocoDataset`."""

import contextlib
import os.path as osp

import numpy as np

from tcnn_mm.datasets.formats.coco import coco_classes, read_coco
from tcnn_mm.datasets.formats.voc_xml import clip_boxes
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


@DATASETS.register_module()
class COCOObjects(VOCObjects):
    """The items of :class:`VOCObjects` from a COCO annotation file.

    The file is read by mmdet's `CocoDataset`, which needs no compiled ops. A crowd region
    (`iscrowd`) is a difficult object: it names no patch, and a picture with nothing but crowds of
    a class is left out of that class's loss and AP. A box without area is left out by mmdet; the
    log counts those.

    Args:
        ann_file (str): The JSON, below `data_root` or absolute.
        data_root (str): Defaults to the JSON's folder.
        img_dir (str): Folder of the pictures below `data_root`; a `file_name` is looked for in
            it. Defaults to `data_root` itself.
        ids (str, optional): A text file of ids: only these pictures.
        metainfo (dict, optional): `dict(classes=(…))`, in the order of labels. Defaults to all
            categories of the file, by their ids.
        allow_unknown, annotations, **kwargs: As of :class:`VOCObjects`.

    `img_id` is the picture's `file_name`, with its extension.

    Raises:
        UserError: What :func:`read_coco` refuses, a picture that is not there, a file name that
            stands twice, mmdet not installed.
    """

    def __init__(self, ann_file, data_root='', img_dir='', metainfo=None, **kwargs):
        path = osp.join(data_root, ann_file)
        data_root = data_root or osp.dirname(osp.abspath(path))
        self._content = read_coco(path)
        metainfo = dict(metainfo or {})
        metainfo.setdefault('classes', coco_classes(self._content))
        super().__init__(
            data_root=data_root,
            ann_file=osp.abspath(path),
            img_dir=img_dir,
            metainfo=metainfo,
            **kwargs,
        )

    def load_data_list(self):
        self._clipped, self._empty = 0, 0
        index, content = self._class_index(), self.__dict__.pop('_content')
        names = {c['id']: c['name'] for c in content['categories']}
        bare = next((a for a in content['annotations'] if 'area' not in a), None)
        if bare is not None:
            raise UserError(
                f'{self.ann_file}: annotation {bare.get("id")} has no "area", which mmdet needs; '
                'write width · height of its bbox'
            )
        found = [names.get(a['category_id'], a['category_id']) for a in content['annotations']]
        self._unknown.update(str(name) for name in found if name not in index)
        pictures = [image['file_name'] for image in content['images']]
        if len(set(pictures)) < len(pictures):
            twice = next(name for name in pictures if pictures.count(name) > 1)
            raise UserError(f'{self.ann_file}: file_name {twice} stands twice')
        chosen = set(self._chosen_ids(pictures))
        infos, cat_ids = self._through_mmdet()
        # mmdet numbers the classes in the file's order, whatever that of `classes`.
        label_of = [index[names[cat_id]] for cat_id in cat_ids]
        infos = [info for info in infos if self._name(info) in chosen]
        items = [dict(sample_idx=i, **self._item(x, label_of)) for i, x in enumerate(infos)]
        numbers = {info['img_id'] for info in infos}
        given = [a for a in content['annotations'] if a['image_id'] in numbers]
        given = [a for a in given if names.get(a['category_id']) in index]
        self._empty = len(given) - sum(len(item['gt_bboxes']) for item in items)
        self._report(items)
        return items

    def _name(self, info):
        return osp.relpath(info['img_path'], osp.join(self.data_root, self.img_dir))

    def _through_mmdet(self):
        """What mmdet's data set makes of the file: its own items, the category id of a label."""
        try:
            from mmdet.datasets import CocoDataset
        except ImportError as error:
            raise UserError(
                f'COCOObjects reads through mmdet, which cannot be imported ({error}): '
                'pip install onedl-mmdetection'
            ) from error
        data = CocoDataset(
            ann_file=self.ann_file,
            data_root=self.data_root,
            data_prefix=dict(img=self.img_dir),
            metainfo=dict(classes=self.metainfo['classes']),
            lazy_init=True,
        )
        with contextlib.redirect_stdout(None):  # pycocotools tells each step
            return data.load_data_list(), data.cat_ids

    def _item(self, info, label_of):
        """One item of mmdet's as one of `VOCObjects`."""
        path, height, width = info['img_path'], info['height'], info['width']
        if self.with_images and not osp.isfile(path):
            raise UserError(
                f'{path}: no such image, named by {self.ann_file}; give img_dir, the folder of '
                'the pictures'
            )
        objects = info['instances']
        boxes = np.array([o['bbox'] for o in objects], np.float32).reshape(-1, 4)
        boxes, clipped = clip_boxes(boxes, height, width, self.ann_file)
        self._clipped += clipped
        labels = np.array([label_of[o['bbox_label']] for o in objects], np.int64)
        crowd = np.array([bool(o['ignore_flag']) for o in objects], bool)
        return dict(
            img_path=path if self.with_images else None,
            img_id=self._name(info),
            height=height,
            width=width,
            gt_bboxes=boxes,
            gt_bboxes_labels=labels,
            gt_bboxes_difficult=crowd,
            gt_bboxes_truncated=np.zeros(len(objects), bool),
            gt_label=sorted(set(labels[~crowd].tolist())),
            gt_label_difficult=sorted(set(labels[crowd].tolist())),
        )
