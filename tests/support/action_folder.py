"""Write a folder of VOC2012's action task for a test, in the genuine annotations' format."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tcnn_mm.datasets.mini_voc import drawing
from tcnn_mm.datasets.voc_action import ACTIONS, OTHER

# Shape of a drawn "person" per action: those of MiniVOC's source task, on which the shipped
# network is trained.
SHAPES = dict(zip((*ACTIONS, OTHER), drawing.SOURCE_CLASSES, strict=False))


def action_xml(persons: Sequence[dict[str, Any]], size_hw: tuple[int, int]) -> str:
    """Write one annotation as text: the genuine files' tags and order, no <truncated>.

    Args:
        persons (list[dict]): box (xmin, ymin, xmax, ymax as VOC counts, from 1); actions, names
            of what the person does, or None for no <actions>; name, 'person' if not given.
        size_hw (tuple): (height, width).
    """
    rows = ['<annotation>', '\t<folder>VOC2012</folder>']
    for person in persons:
        x1, y1, x2, y2 = person['box']
        rows += ['\t<object>', f'\t\t<name>{person.get("name", "person")}</name>']
        if person.get('actions') is not None:
            flags = (*sorted((*ACTIONS, OTHER)), *sorted({*person['actions']} - {*ACTIONS, OTHER}))
            rows.append('\t\t<actions>')
            rows += [f'\t\t\t<{a}>{a in person["actions"]:d}</{a}>' for a in flags]
            rows.append('\t\t</actions>')
        rows += [
            f'\t\t<bndbox><xmax>{x2}</xmax><xmin>{x1}</xmin><ymax>{y2}</ymax><ymin>{y1}</ymin>'
            '</bndbox>',
            '\t\t<difficult>0</difficult>\n\t\t<pose>Unspecified</pose>',
            f'\t\t<point><x>{(x1 + x2) // 2}</x><y>{(y1 + y2) // 2}</y></point>\n\t</object>',
        ]
    height, width = size_hw
    rows.append(f'\t<size><depth>3</depth><height>{height}</height><width>{width}</width></size>')
    return '\n'.join([*rows, '</annotation>']) + '\n'


def write_action_folder(
    root: Path,
    images: dict[str, tuple],
    splits: dict[str, Sequence[str]],
    class_files: bool = True,
) -> Path:
    """Write Annotations, ImageSets/Action and JPEGImages below `root`.

    Args:
        root (Path): The folder.
        images (dict): id → (image (H, W, 3) uint8, persons as for :func:`action_xml`).
        splits (dict): Name → lines of the list, `id` or `id objectIdx`.
        class_files (bool): Also `jumping_<split>.txt` …, lines `id objectIdx label`.

    Returns:
        Path: `root`.
    """
    for part in ('Annotations', 'ImageSets/Action', 'JPEGImages'):
        (root / part).mkdir(parents=True, exist_ok=True)
    for image_id, (image, persons) in images.items():
        Image.fromarray(image).save(root / 'JPEGImages' / f'{image_id}.png')
        text = action_xml(persons, image.shape[:2])
        (root / 'Annotations' / f'{image_id}.xml').write_text(text)
    folder = root / 'ImageSets' / 'Action'
    for split, lines in splits.items():
        (folder / f'{split}.txt').write_text('\n'.join(lines) + '\n')
        if not class_files:
            continue
        listed = []
        for image_id, *number in map(str.split, lines):
            persons = enumerate(images[image_id][1], 1)
            numbers = number or [n for n, p in persons if p.get('actions') is not None]
            listed += [(image_id, int(n)) for n in numbers]
        for action in (*ACTIONS, OTHER):
            labels = [
                (i, n, 1 if action in images[i][1][n - 1]['actions'] else -1) for i, n in listed
            ]
            rows = [f'{i} {n} {label:2d}\n' for i, n, label in labels]
            (folder / f'{action}_{split}.txt').write_text(''.join(rows))
    return root


def draw_persons(seed: int, count: int, several: int = 0) -> dict[str, tuple]:
    """Draw scenes of 160×120 pixels with one or two persons each.

    Args:
        seed (int): Of the drawing.
        count (int): Scenes; actions take turns over all persons, `other` among them.
        several (int): In so many scenes the first person also runs and phones.

    Returns:
        dict: id → (image, persons), for :func:`write_action_folder`.
    """
    random, names, at, images = np.random.default_rng(seed), list(SHAPES), 0, {}
    for number in range(count):
        canvas = drawing.background(random, 160, 120)
        behind = np.asarray(canvas, float).mean((0, 1))
        persons = []
        for left in (4, 84)[: random.integers(1, 3)]:
            action = names[at % len(names)]
            at += 1
            layer = drawing.object_layer(random, SHAPES[action], random.uniform(45, 72), behind)
            x = left + int(random.integers(0, max(1, 72 - layer.width)))
            y = int(random.integers(2, 118 - layer.height))
            canvas.paste(layer, (x, y), layer)
            box = (x + 1, y + 1, x + layer.width, y + layer.height)
            persons.append(dict(box=box, actions=[action]))
        if number < several:
            persons[0]['actions'] = sorted({*persons[0]['actions'], 'running', 'phoning'})
        images[f'2012_{seed}{number:04d}'] = (np.asarray(canvas), persons)
    return images
