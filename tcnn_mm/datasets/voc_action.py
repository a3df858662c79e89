"""VOC2012's action task: what each person does."""

import os.path as osp
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.formats.id_list import read_lines
from tcnn_mm.datasets.formats.voc_xml import VOCObject
from tcnn_mm.datasets.image_ids import image_id
from tcnn_mm.datasets.object_item import object_item
from tcnn_mm.datasets.voc import VOCObjects, edges
from tcnn_mm.errors import InvalidValueError, UserError
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
      annotation, from 1: a person is identified by image id and index. For training, persons with
      several actions are left out, as in the paper, and those with none of the classes.
    * `view='image'`: an item is an image with all its persons as objects, for sliding windows.

    In both, `gt_bboxes` and `gt_bboxes_labels` have one row per action: a person with two actions
    is two objects with one box, whose patches the labelling rule deletes. `gt_label` holds all
    actions of the item.

    Args:
        data_root (str): The folder with `Annotations`, `ImageSets`, `JPEGImages`.
        split (str): Reads `ImageSets/Action/<split>.txt`; a line is `id objectIdx`, or `id`
            alone for all persons of the image. Defaults to 'trainval'.
        view (str): See above. Defaults to 'person'.
        other (bool): `other` is one more class, the last. False: it is not a class; at test such a
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
        data_root: str,
        split: str = 'trainval',
        view: str = 'person',
        other: bool = False,
        ann_file: str = '',
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        if view not in VIEWS:
            raise InvalidValueError(f'VOCAction: view={view!r}; choose from {VIEWS}')
        if kwargs.get('allow_empty'):
            raise InvalidValueError(
                'VOCAction: allow_empty=True would change the numbers of the objects'
            )
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

    def read_items(self, index: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield one item per listed person, or per image with all its persons."""
        self._counts: Counter[str] = Counter()
        self._require_folder('')
        listed = read_persons(self._require_list())
        ids = self._restrict(list(listed))
        # By image and without annotations, not even boxes are read.
        read = self.annotations or self.view == 'person'
        if read:
            self._require_folder(self.ann_dir)
        for img_id, img_path in zip(ids, self._image_paths(ids), strict=True):
            path = self._annotation_path(img_id)
            annotation = self._annotation(path, img_path, read)
            objects, size_hw = annotation['objects'], (annotation['height'], annotation['width'])
            numbers = listed[img_id] if self.view == 'person' else None
            if numbers is None and read:
                # By image, all: a person whom the list leaves out is not background.
                numbers = self._all_numbers(path, objects)
            persons = [
                self._person(path, objects, number, size_hw, index) for number in numbers or []
            ]
            image = dict(
                img_path=img_path, img_id=image_id(img_id), height=size_hw[0], width=size_hw[1]
            )
            if self.view == 'image':
                persons = [_all_persons(persons)]
            for person in persons:
                yield dict(image, **person)

    def _all_numbers(self, path: str, objects: Sequence[VOCObject]) -> list[int]:
        """Numbers, from 1, of the objects that are persons with actions."""
        numbers = [
            number
            for number, item in enumerate(objects, 1)
            if ('actions' in item if self.annotations else item['name'] == 'person')
        ]
        if not numbers:
            lacking = 'object with <actions>' if self.annotations else 'person'
            raise UserError(f'{path}: no {lacking}, but {self.ann_file} lists the image')
        return numbers

    def _person(
        self,
        path: str,
        objects: Sequence[VOCObject],
        number: int,
        size_hw: tuple[int | None, int | None],
        index: dict[str, int],
    ) -> dict[str, Any]:
        """The annotation keys of one person, with `input_box` and `object_index`."""
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
        box = self._clip(edges([item['box']]), *size_hw, path)
        names = [name for name, doing in item.get('actions', {}).items() if doing]
        self._unknown.update(set(names) - {*index, OTHER})
        self._counts.update(names)
        labels = sorted(index[name] for name in names if name in index)
        return dict(
            input_box=box[0],
            object_index=number,
            **object_item(np.repeat(box, len(labels), 0), labels),
        )

    def filter_data(self) -> list[dict[str, Any]]:
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

    def _summary(self, items: Sequence[dict[str, Any]]) -> list[str]:
        what = 'persons' if self.view == 'person' else 'images'
        names = dict.fromkeys((*self.metainfo['classes'], OTHER))
        line = f'{type(self).__name__}: {len(items)} {what} of {self.ann_file}'
        counts = ', '.join(f'{name} {self._counts[name]}' for name in names)
        return [f'{line}: {counts}' if self.annotations else line]


def read_persons(path: str) -> dict[str, list[int] | None]:
    """Read a list of persons: lines `id objectIdx`, or `id` alone for all persons of an image.

    Returns:
        {image id: object numbers from 1, or None for all}, in the list's order.

    Raises:
        UserError: Another form of line, a duplicate person.
    """
    found: dict[str, list[int] | None] = {}
    for line in read_lines(path):
        match = re.fullmatch(r'(\S+)(?:\s+(\d+))?', line)
        if not match:
            raise UserError(
                f'{path}: "{line}" is neither `id` nor `id objectIdx`; a class file '
                'has a third column: give ImageSets/Action/<split>.txt'
            )
        img_id, number = match.groups()
        numbers = found.get(img_id, [])
        if numbers is None or (number is None and numbers) or number and int(number) in numbers:
            raise UserError(f'{path}: "{line}": duplicate person')
        found[img_id] = None if number is None else [*numbers, int(number)]
    return found


def _all_persons(persons: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The annotation keys of an image from those of its persons."""
    boxes = [person['gt_bboxes'] for person in persons]
    labels = [person['gt_bboxes_labels'] for person in persons]
    return object_item(np.concatenate(boxes or [()]), np.concatenate(labels or [()]))
