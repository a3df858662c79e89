"""Draws the same few pictures in the layouts that people have: VOC, COCO, CSV, JSON, folders."""

import json

import numpy as np
from PIL import Image

from tests.support.voc_folder import write_voc_folder

CLASSES = ('blue', 'red')
SHAPE = (90, 120)


def drawn(count=8):
    """[(name, picture (90, 120, 3), class name, VOC box)]: one square a picture."""
    random, found = np.random.default_rng(0), []
    for at in range(count):
        picture = random.integers(100, 140, (*SHAPE, 3), dtype=np.uint8)
        x, y, side = *random.integers(0, 30, 2), int(random.integers(50, 60))
        picture[y : y + side, x : x + side] = (40, 40, 220) if at % 2 == 0 else (220, 40, 40)
        box = (int(x) + 1, int(y) + 1, int(x) + side, int(y) + side)
        found.append((f'picture_{at}', picture, CLASSES[at % 2], box))
    return found


def write_voc(root, splits=None, count=8):
    images = {name: (picture, [dict(name=c, box=b)]) for name, picture, c, b in drawn(count)}
    return write_voc_folder(root, images, splits)


def write_pictures(folder, count=8):
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture, *_ in drawn(count):
        Image.fromarray(picture).save(folder / f'{name}.png')


def coco(numbers, **more):
    """A COCO annotation dict of some of the pictures; categories not in the order of names."""
    images, annotations = [], []
    for at, (name, _, class_name, (x1, y1, x2, y2)) in enumerate(drawn(max(numbers) + 1)):
        if at not in numbers:
            continue
        images.append(dict(id=at, file_name=f'{name}.png', height=SHAPE[0], width=SHAPE[1]))
        width, height = x2 - x1 + 1, y2 - y1 + 1
        box = [x1 - 1, y1 - 1, width, height]
        kind = 7 if class_name == 'blue' else 3
        annotation = dict(id=at + 1, image_id=at, category_id=kind, bbox=box, area=width * height)
        annotations.append(dict(annotation, iscrowd=0))
    categories = [dict(id=7, name='blue'), dict(id=3, name='red')]
    return dict(images=images, annotations=annotations, categories=categories, **more)


def write_coco(root, count=8, train=None):
    """root/images and root/annotations/instances_{train,val}.json (or one file)."""
    write_pictures(root / 'images', count)
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    parts = {'all': range(count)} if train is None else {}
    if train is not None:
        parts = dict(train=range(train), val=range(train, count))
    for role, numbers in parts.items():
        path = root / 'annotations' / f'instances_{role}.json'
        path.write_text(json.dumps(coco(list(numbers))))
    return root


def write_csv(root, count=8):
    write_pictures(root, count)
    rows = [f'{name}.png,{c}' for name, _, c, _ in drawn(count)]
    (root / 'labels.csv').write_text('\n'.join(['file,label', *rows]) + '\n')
    return root


def write_folders(root, count=8):
    for name, picture, class_name, _ in drawn(count):
        (root / class_name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(root / class_name / f'{name}.png')
    return root
