"""Find out which format a folder of annotated images has, and its parts."""

import glob
import json
import os
import os.path as osp
from collections.abc import Sequence
from typing import Any, NamedTuple

from tcnn_mm.datasets.formats.coco import is_coco, read_coco
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError

ROLES = {'train': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
FORMATS = """\
  VOC format:    DIR/Annotations/*.xml, DIR/JPEGImages/*, perhaps DIR/ImageSets/Main/*.txt
  COCO format:   DIR/*.json or DIR/annotations/*.json with "images", "annotations", "categories"
  image labels:  a .csv (file,label[,label…]) or .json ({"file": ["label", …]}) beside the images
  image labels:  DIR/CLASS/*.jpg, perhaps below DIR/train, DIR/val, DIR/test"""

Part = dict[str, Any]


class DataFormat(NamedTuple):
    """A format and its parts.

    Attributes:
        kind (str): 'voc', 'coco' or 'labels'.
        description (str): In words.
        parts (dict): {role: config of the data set}. A role is 'train', 'val', 'test',
            'trainval', or 'all' where the data have no such lists.
    """

    kind: str
    description: str
    parts: dict[str, Part]

    @property
    def weak(self) -> bool:
        """Whether there are image labels alone."""
        return self.kind == 'labels'


def detect_format(path: str) -> DataFormat:
    """Find out which format the data at a path have; nothing is written.

    Args:
        path: A folder, or the file of annotations itself.

    Raises:
        UserError: Nothing there, or an unknown format; lists the known ones.
    """
    path = osp.abspath(osp.expanduser(path))
    if not osp.exists(path):
        raise UserError(f'no data: {path}\ngive a folder or a file of annotations:\n{FORMATS}')
    if osp.isfile(path):
        found = _coco([path], osp.dirname(path)) or _labels_file(path)
    else:
        # An archive often unpacks to a folder in a folder.
        inner = [e.path for e in os.scandir(path) if e.is_dir()]
        places = [path, *inner] if len(inner) <= 3 else [path]
        found = next(filter(None, map(_voc, places)), None) or _coco_folder(path)
        found = found or _labels_folder(path)
    if not found:
        raise UserError(f'{path}: none of the known formats:\n{FORMATS}')
    return found


def _voc(root: str) -> DataFormat | None:
    if not all(osp.isdir(osp.join(root, part)) for part in ('Annotations', 'JPEGImages')):
        return None
    parts: dict[str, Part] = {}
    for role in ('train', 'val', 'trainval', 'test'):
        name = osp.join('ImageSets', 'Main', f'{role}.txt')
        if osp.isfile(osp.join(root, name)):
            parts[role] = dict(type='tcnn_mm.VOCObjects', data_root=root, ann_file=name)
    if {'train', 'val'} <= set(parts):
        parts.pop('trainval', None)
    if not parts:
        parts['all'] = dict(type='tcnn_mm.VOCObjects', data_root=root, ann_file=None)
    lists = f'lists {", ".join(parts)}' if 'all' not in parts else 'no lists in ImageSets/Main'
    return DataFormat('voc', f'{root}: VOC format (boxes), {lists}', parts)


def _holds_coco(path: str) -> bool:
    with open(path, encoding='utf-8') as file:
        try:
            return is_coco(json.load(file))
        except ValueError as error:
            raise UserError(f'{path}: not JSON ({error})') from error


def _role(path: str, root: str) -> str:
    """Role that a file's name or its folder says, else 'all'."""
    words = osp.relpath(path, root).lower().replace('.', '_').replace(os.sep, '_').split('_')
    words = [word.rstrip('0123456789') for word in words]
    return next((ROLES[word] for word in words if word in ROLES), 'all')


def _coco_folder(root: str) -> DataFormat | None:
    patterns = ('*.json', 'annotations/*.json', '*/*.json')
    files = sorted({f for p in patterns for f in glob.glob(osp.join(root, p))})
    return _coco(files, root)


def _coco(files: Sequence[str], root: str) -> DataFormat | None:
    files = [f for f in files if f.lower().endswith('.json') and _holds_coco(f)]
    if not files:
        return None
    named: dict[str, str] = {}
    for file in files:
        role = _role(file, root) if len(files) > 1 else 'all'
        if role in named:
            raise UserError(
                f'{root}: {named[role]} and {file} are both for {role}; give one of the files'
            )
        named[role] = file
    folders = {role: _image_folder(file, root) for role, file in named.items()}
    parts: dict[str, Part] = {}
    # One folder: ids are file names. Several may hold the same names: ids say the folder.
    common = osp.commonpath(list(folders.values()))
    for role, file in named.items():
        part: Part = dict(type='tcnn_mm.COCOObjects', data_root=common, ann_file=file)
        if len(set(folders.values())) > 1:
            part.update(img_dir=osp.relpath(folders[role], common), long_ids=True)
        parts[role] = part
    names = ', '.join(f'{osp.relpath(file, root)} ({role})' for role, file in named.items())
    return DataFormat('coco', f'{root}: COCO format (boxes): {names}', parts)


def _image_folder(file: str, root: str) -> str:
    """Where the images of a COCO file are: looked for by its first image's name."""
    images = read_coco(file)['images']
    if not images:
        raise UserError(f'{file}: no image in it')
    name, stem = images[0]['file_name'], osp.splitext(osp.basename(file))[0].split('_')[-1]
    near = [osp.dirname(file), root, osp.dirname(osp.dirname(file))]
    below = ['', 'images', 'JPEGImages', stem, osp.join('images', stem)]
    looked = list(dict.fromkeys(osp.join(a, b) for a in near for b in below))
    for folder in looked:
        if osp.isfile(osp.join(folder, name)):
            return osp.normpath(folder)
    raise UserError(f'{file}: its first image {name} was looked for in {", ".join(looked)}')


def _labels_file(path: str) -> DataFormat | None:
    if not path.lower().endswith(('.csv', '.json')):
        return None
    part = dict(type='tcnn_mm.ImageList', data_root=osp.dirname(path), ann_file=path)
    return DataFormat('labels', f'{path}: image labels, no boxes', dict(all=part))


def _labels_folder(root: str) -> DataFormat | None:
    files = sorted(f for e in ('csv', 'json') for f in glob.glob(osp.join(root, f'*.{e}')))
    if len(files) == 1:
        return _labels_file(files[0])
    if files:
        raise UserError(f'{root}: several lists ({", ".join(map(osp.basename, files))}); give one')
    folders = sorted(e.name for e in os.scandir(root) if e.is_dir())
    roles = {ROLES[name]: name for name in folders if name in ROLES}
    if 'train' not in roles:
        roles = dict(all='')
    parts: dict[str, Part] = {}
    for role, name in roles.items():
        # Ids are paths from the root on, so that train/cat/1.jpg and test/cat/1.jpg differ.
        parts[role] = dict(type='tcnn_mm.ImageList', data_root=root, img_dir=name)
    one = osp.join(root, next(iter(roles.values())))
    classes = [e.path for e in os.scandir(one) if e.is_dir() and _has_images(e.path)]
    if len(classes) < 2:
        return None
    lists = '' if 'all' in roles else f', parts {", ".join(roles)}'
    description = (
        f'{root}: one folder per class ({len(classes)} classes), image labels, no boxes{lists}'
    )
    return DataFormat('labels', description, parts)


def _has_images(folder: str) -> bool:
    return any(
        name.lower().endswith(IMAGE_SUFFIXES) for _, _, files in os.walk(folder) for name in files
    )
