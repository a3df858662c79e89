"""Plant errors in annotations by seed: labels and boxes flipped, removed, moved or added.

Letters: K classes.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tcnn_mm.patches.geometry import areas, intersections

Record = dict[str, Any]
# Of boxes, and of image labels without boxes; as many of each.
BOX_ERRORS = ('flipped', 'removed', 'moved')
LABEL_ERRORS = ('flipped', 'removed', 'added')
# A moved box shares at most this share of itself with its former place.
MOST_SHARED = 0.1
# Random places that are tried for a moved box.
TRIES = 50


class Planted(NamedTuple):
    """One error.

    Attributes:
        image_id (str): Of the image.
        error (str): Of :data:`BOX_ERRORS` or :data:`LABEL_ERRORS`.
        truth (int, optional): The class that is there; None for one that was added.
        given (int, optional): The class that the annotations name; None for one that was removed.
        place (list, optional): xyxy of the object in truth; None without boxes.
        visible (bool): The labels of the image as a whole are others.
    """

    image_id: str
    error: str
    truth: int | None
    given: int | None
    place: list[float] | None
    visible: bool


def plant_errors(
    records: Sequence[Mapping[str, Any]], num_classes: int, share: float, seed: int
) -> tuple[list[Record], list[Planted]]:
    """Plant errors in a share of all boxes, or of all image labels where there are no boxes.

    Difficult objects stay as they are. An image gets at most one error.

    Args:
        records: As :func:`write_records` takes them.
        num_classes: K.
        share: Of the boxes (labels); at least one.
        seed: Of the draw.

    Returns:
        Records with errors; the errors.
    """
    random = np.random.default_rng(seed)
    made: list[Record] = [copy.deepcopy(dict(record)) for record in records]
    boxed = any(len(record.get('boxes', ())) for record in made)
    units = [(n, u) for n, record in enumerate(made) for u in _units(record, boxed)]
    count = max(1, round(share * len(units)))
    kinds = BOX_ERRORS if boxed else LABEL_ERRORS
    planted: list[Planted] = []
    used: set[int] = set()
    for at in random.permutation(len(units)).tolist():
        number, unit = units[at]
        if len(planted) == count:
            break
        if number in used:
            continue
        plant = _plant_in_box if boxed else _plant_in_label
        kind = kinds[len(planted) % len(kinds)]
        error = plant(made[number], unit, kind, num_classes, random)
        if error is not None:
            planted.append(error)
            used.add(number)
    return made, planted


def _units(record: Record, boxed: bool) -> list[int]:
    """What may be wrong in an image: numbers of its boxes, or its labels."""
    if not boxed:
        return list(record['labels'])
    difficult = record.get('difficult') or [False] * len(record.get('boxes', ()))
    return [m for m, hard in enumerate(difficult) if not hard]


def _labels(record: Record) -> set[int]:
    """All classes of an image."""
    return {*record['labels'], *record.get('box_labels', ())}


def _plant_in_box(
    record: Record, m: int, error: str, num_classes: int, random: np.random.Generator
) -> Planted | None:
    """Change one box in place; None where it cannot be moved, or no other class is there."""
    before, truth, place = _labels(record), record['box_labels'][m], list(record['boxes'][m])
    given: int | None = truth
    if error == 'flipped':
        if num_classes < 2:
            return None
        given = int((truth + random.integers(1, num_classes)) % num_classes)
        record['box_labels'][m] = given
    elif error == 'removed':
        given = None
        for key in ('boxes', 'box_labels', 'difficult', 'truncated'):
            if record.get(key):
                del record[key][m]
    else:
        moved = _other_place(place, record['size_hw'], random)
        if moved is None:
            return None
        record['boxes'][m] = moved
    changed = _labels(record) != before
    return Planted(record['id'], error, truth, given, place, changed)


def _other_place(
    box: Sequence[float], size_hw: Sequence[int], random: np.random.Generator
) -> list[float] | None:
    """A place of the same size in the image, nearly away from the former one; None without one."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    for _ in range(TRIES):
        x = random.uniform(0, max(0.0, size_hw[1] - width))
        y = random.uniform(0, max(0.0, size_hw[0] - height))
        there = [x, y, x + width, y + height]
        if intersections([box], [there])[0, 0] <= MOST_SHARED * areas(box)[0]:
            return there
    return None


def _plant_in_label(
    record: Record, label: int, error: str, num_classes: int, random: np.random.Generator
) -> Planted | None:
    """Change one label of an image without boxes, in place; None where no class is left."""
    others = sorted({*range(num_classes)} - {*record['labels']})
    if error != 'removed' and not others:
        return None
    labels = {*record['labels']}
    truth, given = label, None
    if error != 'removed':
        given = int(random.choice(others))
        labels.add(given)
    if error != 'added':
        labels.remove(label)
    record['labels'] = sorted(labels)
    return Planted(record['id'], error, None if error == 'added' else truth, given, None, True)
