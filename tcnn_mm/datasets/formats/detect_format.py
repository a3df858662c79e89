"""Which layout a folder of annotated pictures has, and which of its parts are named for what."""

import glob
import json
import os
import os.path as osp
from typing import NamedTuple

from tcnn_mm.datasets.formats.coco import read_coco
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError

ROLES = {'train': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
LAYOUTS = """\
  VOC format:    DIR/Annotations/*.xml, DIR/JPEGImages/*, perhaps DIR/ImageSets/Main/*.txt
  COCO format:   DIR/*.json or DIR/annotations/*.json with "images", "annotations", "categories"
  image labels:  a .csv (file,label[,label…]) or .json ({"file": ["label", …]}) beside the pictures
  image labels:  DIR/CLASS/*.jpg, perhaps below DIR/train, DIR/val, DIR/test"""


class Layout(NamedTuple):
    """`kind` 'voc', 'coco' or 'labels'; `said` in words; `parts` {role: data set config}.

    A role is 'train', 'val', 'test', 'trainval', or 'all' where the data have no such lists.
    """

    kind: str
    said: str
    parts: dict

    @property
    def weak(self):
        """Whether there are image labels alone."""
        return self.kind == 'labels'


def detect_format(path):
    """Find out what lies at a path; nothing is written.

    Args:
        path (str): A folder, or the file of annotations itself.

    Returns:
        Layout

    Raises:
        UserError: Nothing there, or nothing that is known; lists the layouts.
    """
    path = osp.abspath(osp.expanduser(path))
    if not osp.exists(path):
        raise UserError(f'no data: {path}\ngive a folder or a file of annotations:\n{LAYOUTS}')
    if osp.isfile(path):
        found = _coco([path], osp.dirname(path)) or _labels_file(path)
    else:
        # An archive often unpacks to a folder in a folder.
        inner = [e.path for e in os.scandir(path) if e.is_dir()]
        places = [path, *inner] if len(inner) <= 3 else [path]
        found = next(filter(None, map(_voc, places)), None) or _coco_folder(path)
        found = found or _labels_folder(path)
    if not found:
        raise UserError(f'{path}: none of the layouts that are known:\n{LAYOUTS}')
    return found


def _voc(root):
    if not all(osp.isdir(osp.join(root, part)) for part in ('Annotations', 'JPEGImages')):
        return None
    parts = {}
    for role in ('train', 'val', 'trainval', 'test'):
        name = osp.join('ImageSets', 'Main', f'{role}.txt')
        if osp.isfile(osp.join(root, name)):
            parts[role] = dict(type='tcnn_mm.VOCObjects', data_root=root, ann_file=name)
    if {'train', 'val'} <= set(parts):
        parts.pop('trainval', None)
    if not parts:
        parts['all'] = dict(type='tcnn_mm.VOCObjects', data_root=root, ann_file=None)
    lists = f'lists {", ".join(parts)}' if 'all' not in parts else 'no lists in ImageSets/Main'
    return Layout('voc', f'{root}: VOC format (boxes), {lists}', parts)


def _is_coco(path):
    with open(path, encoding='utf-8') as file:
        try:
            content = json.load(file)
        except ValueError as error:
            raise UserError(f'{path}: no JSON ({error})') from error
    return isinstance(content, dict) and {'images', 'annotations', 'categories'} <= set(content)


def _role(path, root):
    """Role that a file's name or its folder says, else 'all'."""
    words = osp.relpath(path, root).lower().replace('.', '_').replace(os.sep, '_').split('_')
    words = [word.rstrip('0123456789') for word in words]
    return next((ROLES[word] for word in words if word in ROLES), 'all')


def _coco_folder(root):
    patterns = ('*.json', 'annotations/*.json', '*/*.json')
    files = sorted({f for p in patterns for f in glob.glob(osp.join(root, p))})
    return _coco(files, root)


def _coco(files, root):
    files = [f for f in files if f.lower().endswith('.json') and _is_coco(f)]
    if not files:
        return None
    parts = {}
    for file in files:
        role = _role(file, root) if len(files) > 1 else 'all'
        if role in parts:
            raise UserError(
                f'{root}: {parts[role]["ann_file"]} and {file} are both for {role}; give one of '
                'the files'
            )
        folder = _picture_folder(file, root)
        parts[role] = dict(type='tcnn_mm.COCOObjects', data_root=folder, ann_file=file)
    names = ', '.join(f'{osp.relpath(p["ann_file"], root)} ({r})' for r, p in parts.items())
    return Layout('coco', f'{root}: COCO format (boxes): {names}', parts)


def _picture_folder(file, root):
    """Where the pictures of a COCO file are: looked for by its first picture's name."""
    images = read_coco(file)['images']
    if not images:
        raise UserError(f'{file}: no picture in it')
    name, stem = images[0]['file_name'], osp.splitext(osp.basename(file))[0].split('_')[-1]
    near = [osp.dirname(file), root, osp.dirname(osp.dirname(file))]
    below = ['', 'images', 'JPEGImages', stem, osp.join('images', stem)]
    looked = list(dict.fromkeys(osp.join(a, b) for a in near for b in below))
    for folder in looked:
        if osp.isfile(osp.join(folder, name)):
            return osp.normpath(folder)
    raise UserError(f'{file}: its first picture {name} was looked for in {", ".join(looked)}')


def _labels_file(path):
    if not path.lower().endswith(('.csv', '.json')):
        return None
    part = dict(type='tcnn_mm.ImageList', data_root=osp.dirname(path), ann_file=path)
    return Layout('labels', f'{path}: image labels, no boxes', dict(all=part))


def _labels_folder(root):
    files = sorted(f for e in ('csv', 'json') for f in glob.glob(osp.join(root, f'*.{e}')))
    if len(files) == 1:
        return _labels_file(files[0])
    if files:
        raise UserError(f'{root}: several lists ({", ".join(map(osp.basename, files))}); give one')
    folders = sorted(e.name for e in os.scandir(root) if e.is_dir())
    roles = {ROLES[name]: osp.join(root, name) for name in folders if name in ROLES}
    if 'train' not in roles:
        roles = dict(all=root)
    parts = {
        role: dict(type='tcnn_mm.ImageList', data_root=folder) for role, folder in roles.items()
    }
    one = next(iter(roles.values()))
    classes = [e.path for e in os.scandir(one) if e.is_dir() and _has_pictures(e.path)]
    if len(classes) < 2:
        return None
    lists = '' if 'all' in roles else f', parts {", ".join(roles)}'
    said = f'{root}: one folder a class ({len(classes)} classes), image labels, no boxes{lists}'
    return Layout('labels', said, parts)


def _has_pictures(folder):
    return any(
        name.lower().endswith(IMAGE_SUFFIXES) for _, _, files in os.walk(folder) for name in files
    )
