"""Data sets in PASCAL VOC's layout, with the objects' boxes."""

import os
import os.path as osp
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS

# The devkit's order.
VOC_CLASSES = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow',
    'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa',
    'train', 'tvmonitor',
)  # fmt: skip
EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff')


def parse_voc_xml(path):
    """Read one annotation file.

    Element order is free; `difficult`, `truncated` and `size` may be missing.

    Args:
        path (str): The XML file.

    Returns:
        dict: `width`, `height` (int or None), `objects`: list of dicts with `name`, `box`
        (xmin, ymin, xmax, ymax as in the file), `difficult`, `truncated` (bool).

    Raises:
        UserError: Missing or broken XML, an object without name or box, x2 ≤ x1, y2 ≤ y1; one
            line with the path.
    """
    try:
        root = ET.parse(path).getroot()
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such annotation') from error
    except ET.ParseError as error:
        raise UserError(f'{path}: broken XML ({error})') from error

    def number(text, what):
        try:
            return float(text)
        except (TypeError, ValueError):
            raise UserError(f'{path}: {what} is {text!r}, expected a number') from None

    size = {}
    for key in ('width', 'height'):
        text = root.findtext(f'size/{key}')
        size[key] = int(number(text, key)) or None if text else None
    objects = []
    for at, node in enumerate(root.iterfind('object'), 1):
        name, frame = (node.findtext('name') or '').strip(), node.find('bndbox')
        if not name or frame is None:
            lacking = 'bndbox' if name else 'name'
            raise UserError(f'{path}: object {at} has no <{lacking}>')
        corners = ('xmin', 'ymin', 'xmax', 'ymax')
        box = tuple(number(frame.findtext(c), f'object {at} ({name}): {c}') for c in corners)
        if box[2] <= box[0] or box[3] <= box[1]:
            raise UserError(f'{path}: object {at} ({name}): empty box {box}, needs max > min')
        flags = {
            flag: bool(number(node.findtext(flag) or 0, f'object {at}: {flag}'))
            for flag in ('difficult', 'truncated')
        }
        objects.append(dict(name=name, box=box, **flags))
    return dict(objects=objects, **size)


def clip_boxes(boxes, height, width, path):
    """Clip (N, 4) xyxy to the picture: the clipped boxes and how many of them changed.

    Raises:
        UserError: A box wholly outside; one line with the path.
    """
    clipped = boxes.copy()
    clipped[:, 0::2] = clipped[:, 0::2].clip(0, width)
    clipped[:, 1::2] = clipped[:, 1::2].clip(0, height)
    empty = (clipped[:, 2:] <= clipped[:, :2]).any(1)
    if empty.any():
        at = int(empty.argmax())
        raise UserError(
            f'{path}: object {at + 1}: box {boxes[at].tolist()} lies wholly outside the picture '
            f'of {width}×{height} pixels'
        )
    return clipped, int((clipped != boxes).any(1).sum())


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
        allow_unknown (bool): Leave out objects of other classes. Defaults to False: an error.
        with_images (bool): False: for annotations alone, no picture is looked for.
        annotations (bool): False: a split whose annotations are secret (VOC2012 test).
        **kwargs: For mmengine's `BaseDataset`.

    Each item: img_path, img_id, height, width, gt_bboxes (N, 4) float32, gt_bboxes_labels (N,)
    int64, gt_bboxes_difficult and gt_bboxes_truncated (N,) bool; gt_label and
    gt_label_difficult: sorted classes with an ordinary, a difficult object.
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
        with_images=True,
        annotations=True,
        pipeline=(),
        **kwargs,
    ):
        self.split, self.ids = split, ids
        self.img_dir, self.ann_dir = img_dir, ann_dir
        self.allow_unknown = allow_unknown
        self.with_images, self.annotations = with_images, annotations
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
                f'see what is missing and how to lay it out: python tools/prepare_voc.py '
                f'{self.data_root}'
            )

    def _read_ids(self, path):
        self._need(osp.isfile(path), 'list of ids', path)
        with open(path, encoding='utf-8') as file:
            lines = [line.strip() for line in file]
        ids = [line for line in lines if line]
        for line in ids:
            parts = line.split()
            if len(parts) == 2 and parts[1] in ('-1', '0', '1'):
                raise UserError(
                    f'{path}: "{line}" is a line of a class file; give the list of all ids, '
                    'e.g. ImageSets/Main/trainval.txt'
                )
        twice = [i for i, count in Counter(ids).items() if count > 1]
        if twice:
            raise UserError(f'{path}: id {twice[0]} stands twice ({len(twice)} such ids)')
        return ids

    def _chosen_ids(self):
        ids = self._read_ids(self.ann_file)
        if self.ids is None:
            return ids
        wanted = self._read_ids(self.ids)
        strange = sorted(set(wanted) - set(ids))
        if strange:
            raise UserError(
                f'{self.ids}: id {strange[0]} is not in {self.ann_file} ({len(strange)} such ids)'
            )
        wanted = set(wanted)
        return [i for i in ids if i in wanted]

    def _pictures(self):
        """Path of each id's picture, by one listing of the folder."""
        if not self.with_images:
            return None
        folder = self._folder(self.img_dir)
        found = {}
        for name in sorted(os.listdir(folder)):
            stem, extension = osp.splitext(name)
            if extension.lower() in EXTENSIONS:
                found[stem] = osp.join(folder, name)
        return found

    def load_data_list(self):
        self._unknown, self._clipped = Counter(), 0
        ids, pictures = self._chosen_ids(), self._pictures()
        if self.annotations:
            self._folder(self.ann_dir)
        items = []
        for at, img_id in enumerate(ids):
            if pictures is not None and img_id not in pictures:
                raise UserError(
                    f'{osp.join(self.data_root, self.img_dir, img_id)}.*: no picture for id '
                    f'{img_id} of {self.ann_file}'
                )
            items.append(self._item(at, img_id, pictures[img_id] if pictures else None))
        self._report(items)
        return items

    def _item(self, at, img_id, picture):
        annotation = dict(width=None, height=None, objects=[])
        path = osp.join(self.data_root, self.ann_dir, f'{img_id}.xml')
        if self.annotations:
            annotation = parse_voc_xml(path)
        height, width = annotation['height'], annotation['width']
        if not (height and width) and picture:
            height, width = image_size(picture)
        known, boxes = [], []
        index = {name: k for k, name in enumerate(self.metainfo['classes'])}
        for obj in annotation['objects']:
            if obj['name'] not in index:
                self._unknown[obj['name']] += 1
                continue
            known.append(obj)
            x1, y1, x2, y2 = obj['box']
            boxes.append((x1 - 1, y1 - 1, x2, y2))
        boxes = np.array(boxes, np.float32).reshape(-1, 4)
        if height and width:
            boxes, clipped = clip_boxes(boxes, height, width, path)
            self._clipped += clipped
        labels = np.array([index[obj['name']] for obj in known], np.int64)
        difficult = np.array([obj['difficult'] for obj in known], bool)
        return dict(
            sample_idx=at,
            img_id=img_id,
            img_path=picture,
            height=height,
            width=width,
            gt_bboxes=boxes,
            gt_bboxes_labels=labels,
            gt_bboxes_difficult=difficult,
            gt_bboxes_truncated=np.array([obj['truncated'] for obj in known], bool),
            gt_label=sorted(set(labels[~difficult].tolist())),
            gt_label_difficult=sorted(set(labels[difficult].tolist())),
        )

    def _report(self, items):
        """Unknown names end here, with all their counts; else the histogram goes to the log."""
        if self._unknown:
            names = ', '.join(f'{name} ({count})' for name, count in self._unknown.most_common())
            if not self.allow_unknown:
                raise UserError(
                    f'{self.ann_file}: objects of unknown classes: {names}; give '
                    'metainfo=dict(classes=(…)), or allow_unknown=True to leave them out'
                )
            print_log(f'{self.ann_file}: left out objects of other classes: {names}', 'current')
        if self._clipped:
            print_log(f'{self.ann_file}: clipped {self._clipped} boxes to the picture', 'current')
        classes = self.metainfo['classes']
        wide = max([len(name) for name in classes] + [5])
        lines = [
            f'{type(self).__name__}: {len(items)} images of {self.ann_file}',
            f'{"class":{wide}}  images  objects  difficult',
        ]
        labels = [np.concatenate([i['gt_bboxes_labels'] for i in items] or [np.zeros(0, int)])]
        hard = np.concatenate([i['gt_bboxes_difficult'] for i in items] or [np.zeros(0, bool)])
        images = Counter(k for i in items for k in i['gt_label'])
        for k, name in enumerate(classes):
            of_class = labels[0] == k
            lines.append(
                f'{name:{wide}}  {images[k]:6d}  {(of_class & ~hard).sum():7d}  '
                f'{(of_class & hard).sum():9d}'
            )
        print_log('\n'.join(lines), 'current')

    def get_cat_ids(self, idx):
        """Classes of one image, for mmengine's `ClassBalancedDataset`."""
        return self.get_data_info(idx)['gt_label']
