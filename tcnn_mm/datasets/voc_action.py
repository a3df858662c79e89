"""VOC2012's action task: what each person does."""

import os.path as osp
import re
from collections import Counter

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.formats.voc_xml import clip_boxes, parse_voc_xml
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS

# The devkit's order; `other` is none of them: the devkit does not score it.
ACTIONS = (
    'jumping', 'phoning', 'playinginstrument', 'reading', 'ridingbike', 'ridinghorse', 'running',
    'takingphoto', 'usingcomputer', 'walking',
)  # fmt: skip
OTHER = 'other'
VIEWS = ('person', 'image')


@DATASETS.register_module()
class VOCAction(VOCObjects):
    """A VOC folder's persons and their actions (paper, sec. 6).

    * `view='person'`: an item is a person, with the box `input_box` (4,) float32 (xyxy, edges as
      in :class:`VOCObjects`) and `object_index`, the devkit's number of the object in its
      annotation, from 1: the person's key is image id and index. For training, persons with
      several actions are left out, as in the paper, and those with none of the classes.
    * `view='image'`: an item is a picture with all its persons as objects, for sliding windows.

    In both, `gt_bboxes` and `gt_bboxes_labels` have one row an action: a person with two is two
    objects in one place, whose patches the labelling rule deletes. `gt_label` holds all actions
    of the item, also several.

    Args:
        data_root (str): The folder with `Annotations`, `ImageSets`, `JPEGImages`.
        split (str): Reads `ImageSets/Action/<split>.txt`; a line is `id objectIdx`, or `id`
            alone for all persons of the picture. Defaults to 'trainval'.
        view (str): See above. Defaults to 'person'.
        other (bool): `other` is one more class, the last. False: it is no class; at test such a
            person is a negative of every action. Defaults to False.
        annotations (bool): False: actions are secret (VOC2012 test) and only boxes are read, by
            `view='image'` not even these. Defaults to True.
        metainfo, **kwargs: As for :class:`VOCObjects`; `ids` lists images.

    Raises:
        UserError: What :class:`VOCObjects` refuses; an object that is listed but not annotated,
            or has no <actions>.
    """

    METAINFO = dict(classes=ACTIONS)

    def __init__(
        self,
        data_root,
        split='trainval',
        view='person',
        other=False,
        ann_file='',
        metainfo=None,
        **kwargs,
    ):
        if view not in VIEWS:
            raise ValueError(f'VOCAction: view={view!r}; choose from {VIEWS}')
        if kwargs.get('allow_empty'):
            raise ValueError('VOCAction: allow_empty=True would change the numbers of the objects')
        self.view = view
        if other:
            classes = (metainfo or {}).get('classes', ACTIONS)
            metainfo = dict(metainfo or {}, classes=(*classes, OTHER))
        super().__init__(
            data_root,
            split,
            ann_file=ann_file or osp.join('ImageSets', 'Action', f'{split}.txt'),
            metainfo=metainfo,
            **kwargs,
        )

    def _listed(self):
        """The list as {image id: object numbers, None for all persons}, in its order."""
        found = {}
        for line in self._read_lines(self.ann_file):
            match = re.fullmatch(r'(\S+)(?:\s+(\d+))?', line)
            if not match:
                raise UserError(
                    f'{self.ann_file}: "{line}" is neither `id` nor `id objectIdx`; a class file '
                    'has a third column: give ImageSets/Action/<split>.txt'
                )
            img_id, number = match.groups()
            numbers = found.setdefault(img_id, [])
            if number in numbers or (numbers and None in (number, *numbers)):
                raise UserError(f'{self.ann_file}: "{line}": this person stands twice')
            numbers.append(number)
        return {i: None if None in n else [int(x) for x in n] for i, n in found.items()}

    def load_data_list(self):
        self._unknown, self._clipped, self._counts = Counter(), 0, Counter()
        self._need(osp.isdir(self.data_root), 'folder', self.data_root)
        index = self._class_index()
        listed = self._listed()
        ids = self._chosen_ids(list(listed))
        if not self._blind:
            self._folder(self.ann_dir)
        items = []
        for img_id, picture in zip(ids, self._pictures(ids), strict=True):
            path = osp.join(self.data_root, self.ann_dir, f'{img_id}.xml')
            objects, size_hw = self._objects(path, picture)
            persons = [
                self._person(path, objects, number, size_hw, index)
                for number in self._numbers(path, objects, listed[img_id])
            ]
            image = dict(img_path=picture, img_id=img_id, height=size_hw[0], width=size_hw[1])
            if self.view == 'person':
                items += [dict(image, **person) for person in persons]
            else:
                items.append(dict(image, **_together(persons)))
        self._report(items)
        return items

    @property
    def _blind(self):
        """Whether nothing of the annotations is read, not even boxes."""
        return self.view == 'image' and not self.annotations

    def _objects(self, path, picture):
        """Objects of one picture, as `parse_voc_xml` gives them, and its (height, width)."""
        none = dict(objects=[], height=None, width=None)
        annotation = none if self._blind else parse_voc_xml(path)
        size_hw = annotation['height'], annotation['width']
        if None in size_hw and picture:
            size_hw = image_size(picture)
        return annotation['objects'], size_hw

    def _numbers(self, path, objects, listed):
        """Which objects of a picture are wanted: numbers from 1."""
        if self._blind:
            return []
        if self.view == 'person' and listed is not None:
            return listed
        # By image, all: a person whom the list leaves out is no background.
        numbers = [
            number
            for number, item in enumerate(objects, 1)
            if ('actions' in item if self.annotations else item['name'] == 'person')
        ]
        if not numbers:
            lacking = 'object with <actions>' if self.annotations else 'person'
            raise UserError(f'{path}: no {lacking}, but {self.ann_file} lists the picture')
        return numbers

    def _person(self, path, objects, number, size_hw, index):
        if not 1 <= number <= len(objects):
            raise UserError(
                f'{path}: has {len(objects)} objects, {self.ann_file} lists number {number}'
            )
        item = objects[number - 1]
        if self.annotations and 'actions' not in item:
            raise UserError(
                f'{path}: object {number} ({item["name"]}) has no <actions>, but '
                f'{self.ann_file} lists it; annotations=False where they are secret'
            )
        box = np.array([item['box']], float) - (1, 1, 0, 0)
        box = box.astype(np.float32)
        if None not in size_hw:
            box, clipped = clip_boxes(box, *size_hw, path)
            self._clipped += clipped
        names = [name for name, doing in item.get('actions', {}).items() if doing]
        self._unknown.update(set(names) - {*index, OTHER})
        self._counts.update(names)
        labels = sorted(index[name] for name in names if name in index)
        return dict(
            input_box=box[0],
            object_index=number,
            gt_bboxes=np.repeat(box, len(labels), 0),
            gt_bboxes_labels=np.array(labels, np.int64),
            gt_bboxes_difficult=np.zeros(len(labels), bool),
            gt_bboxes_truncated=np.zeros(len(labels), bool),
            gt_label=labels,
            gt_label_difficult=[],
        )

    def filter_data(self):
        """For training on persons: those with exactly one of the classes."""
        if self.test_mode or self.view == 'image' or not self.annotations:
            return self.data_list
        kept = [item for item in self.data_list if len(item['gt_label']) == 1]
        several = sum(len(item['gt_label']) > 1 for item in self.data_list)
        none = len(self.data_list) - len(kept) - several
        print_log(
            f'{self.ann_file}: for training, left out {several} persons with several actions and '
            f'{none} with none of the classes',
            'current',
        )
        return kept

    def _report(self, items):
        self._report_unknown()
        if self._clipped:
            print_log(f'{self.ann_file}: clipped {self._clipped} boxes to the picture', 'current')
        what = 'persons' if self.view == 'person' else 'images'
        names = dict.fromkeys((*self.metainfo['classes'], OTHER))
        each = ', '.join(f'{name} {self._counts[name]}' for name in names)
        line = f'{type(self).__name__}: {len(items)} {what} of {self.ann_file}'
        print_log(f'{line}: {each}' if self.annotations else line, 'current')


def _together(persons):
    """Objects and labels of a picture's persons."""
    arrays = dict(
        gt_bboxes=np.zeros((0, 4), np.float32),
        gt_bboxes_labels=np.zeros(0, np.int64),
        gt_bboxes_difficult=np.zeros(0, bool),
        gt_bboxes_truncated=np.zeros(0, bool),
    )
    joined = {
        key: np.concatenate([none, *(person[key] for person in persons)])
        for key, none in arrays.items()
    }
    labels = sorted({label for person in persons for label in person['gt_label']})
    return dict(joined, gt_label=labels, gt_label_difficult=[])
