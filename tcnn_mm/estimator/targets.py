"""Read the targets of `PatchVotingClassifier`: labels, label lists, indicator matrices, boxes.

Letters: N images, K classes, M boxes of an image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from tcnn_mm.errors import InvalidValueError

Form: TypeAlias = Literal['labels', 'label lists', 'indicator matrix', 'boxes']
FORMS = (
    'targets are labels (N,), label lists, an indicator matrix (N, K) with the parameter '
    "`classes`, or dicts {'boxes': (M, 4), 'labels': (M,)}"
)

# What holds the labels of one image, and what else the target of one image may be.
_LISTS = (list, tuple, set, frozenset, np.ndarray)
_ROWS = (*_LISTS, Mapping)


@dataclass(frozen=True)
class Targets:
    """Targets of N images in one form.

    Attributes:
        form (str): Which of the four forms was given.
        classes (ndarray): (K,) strings or integers.
        labels (list[list[int]]): Class numbers of each image, without duplicates, ascending.
        boxes (list[ndarray], optional): (M, 4) float32 xyxy pixels, 0-based, of each image.
        box_labels (list[list[int]], optional): (M,) class numbers of each image's boxes.
    """

    form: Form
    classes: np.ndarray
    labels: list[list[int]]
    boxes: list[np.ndarray] | None = None
    box_labels: list[list[int]] | None = None

    @property
    def single(self) -> bool:
        """Whether each image has exactly one label by its form."""
        return self.form == 'labels'

    def matrix(self) -> np.ndarray:
        """Labels (N, K) of {1, -1}, as :func:`voc_ap` takes them."""
        matrix = np.full((len(self.labels), len(self.classes)), -1, np.int64)
        for row, labels in zip(matrix, self.labels, strict=True):
            row[labels] = 1
        return matrix


def read_targets(
    targets: Any, number: int, classes: Sequence[Any] | np.ndarray | None = None
) -> Targets:
    """Tell the form of targets and number their classes.

    Args:
        targets: In one of the four forms; each row belongs to the image of the same number.
        number: N, of the images.
        classes: K names in the order of the scores. Defaults to all labels, sorted.

    Raises:
        InvalidValueError: Another form, another number than N, a label that `classes` lacks, boxes
            that are empty or not finite; names the image by its number.
    """
    if isinstance(targets, str) or not (hasattr(targets, '__len__') or hasattr(targets, 'toarray')):
        raise InvalidValueError(f'{FORMS}; found {type(targets).__name__}')
    if hasattr(targets, 'toarray'):  # scipy's sparse matrices
        targets = targets.toarray()
    if len(targets) != number:
        raise InvalidValueError(f'{number} images have {len(targets)} targets')
    if not number:
        raise InvalidValueError('no images')
    if not hasattr(targets, 'shape'):
        targets = list(targets)
    elif len(targets.shape) == 2:
        return _read_matrix(np.asarray(targets), classes)
    rows = list(np.asarray(targets)) if hasattr(targets, 'shape') else targets
    if all(isinstance(row, Mapping) for row in rows):
        return _read_boxes(rows, classes)
    if all(isinstance(row, _LISTS) for row in rows):
        names = [list(row) for row in rows]
        known = _classes(names, classes)
        return Targets('label lists', known, _numbers(names, known))
    kinds = {type(row).__name__ for row in rows if isinstance(row, _ROWS)}
    if kinds:
        others = {type(row).__name__ for row in rows if not isinstance(row, _ROWS)}
        raise InvalidValueError(f'{FORMS}; found {", ".join(sorted(kinds | others))} together')
    known = _classes([[row] for row in rows], classes)
    numbers = _numbers([[row] for row in rows], known)
    if len(known) < 2:
        raise InvalidValueError(f'labels of one class only ({known[0]}): at least two are needed')
    return Targets('labels', known, numbers)


def _read_matrix(matrix: np.ndarray, classes: Sequence[Any] | np.ndarray | None) -> Targets:
    """An indicator matrix; without names its classes are 0 … K-1."""
    if not np.isin(matrix, (0, 1)).all():
        raise InvalidValueError(
            'an indicator matrix (N, K) holds 0 and 1 only; one label per image is an array (N,)'
        )
    known = _checked(np.arange(matrix.shape[1]) if classes is None else classes)
    if len(known) != matrix.shape[1]:
        raise InvalidValueError(
            f'the indicator matrix has {matrix.shape[1]} columns, classes={classes!r}'
        )
    return Targets('indicator matrix', known, [np.flatnonzero(row).tolist() for row in matrix])


def _read_boxes(
    rows: Sequence[Mapping[str, Any]], classes: Sequence[Any] | np.ndarray | None
) -> Targets:
    """Dicts of boxes and labels."""
    boxes, names = [], []
    for number, row in enumerate(rows):
        if not {'boxes', 'labels'} <= row.keys():
            raise InvalidValueError(
                f"target {number}: needs the keys 'boxes' and 'labels'; found {sorted(row)}"
            )
        if isinstance(row['labels'], str):
            raise InvalidValueError(
                f'target {number}: labels are a list, one per box; found {row["labels"]!r}'
            )
        mine = np.asarray(row['boxes'], np.float32).reshape(-1, 4)
        if len(mine) != len(row['labels']):
            raise InvalidValueError(
                f'target {number}: {len(mine)} boxes, {len(row["labels"])} labels'
            )
        if not np.isfinite(mine).all() or (mine[:, 2:] <= mine[:, :2]).any():
            raise InvalidValueError(
                f'target {number}: boxes are [x1, y1, x2, y2] with x2 > x1 and y2 > y1; found '
                f'{mine.tolist()}'
            )
        boxes.append(mine)
        names.append(list(row['labels']))
    if any(map(len, boxes)) and max(mine.max(initial=0) for mine in boxes) <= 1:
        raise InvalidValueError(
            'all boxes are less than a pixel: normalized to 0…1? multiply them by width and height '
            'of the image'
        )
    known = _classes(names, classes)
    index = {name: k for k, name in enumerate(known.tolist())}
    return Targets(
        'boxes',
        known,
        _numbers(names, known),
        boxes,
        [[index[_plain(name)] for name in mine] for mine in names],
    )


def _plain(name: Any) -> Any:
    """A numpy or torch scalar as Python's own."""
    return name.item() if hasattr(name, 'item') else name


def _classes(
    names: Sequence[Sequence[Any]], classes: Sequence[Any] | np.ndarray | None
) -> np.ndarray:
    """All names, sorted, or those given."""
    found = {_plain(name) for mine in names for name in mine}
    if classes is not None:
        return _checked(classes)
    if not all(isinstance(name, str) for name in found) and not all(
        isinstance(name, int) for name in found
    ):
        raise InvalidValueError(f'labels are strings or integers; {FORMS}; found {list(found)[:5]}')
    if not found:
        raise InvalidValueError('no image has a label')
    return np.array(sorted(found))


def _checked(classes: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Names that differ, also as text: a checkpoint holds them so."""
    if isinstance(classes, str):
        raise InvalidValueError(f'classes={classes!r}: give a list of names')
    known = np.asarray(list(classes))
    if known.ndim != 1 or not len(known) or len({str(name) for name in known}) < len(known):
        raise InvalidValueError(f'classes={classes!r}: give different names')
    return known


def _numbers(names: Sequence[Sequence[Any]], classes: np.ndarray) -> list[list[int]]:
    """Class numbers of each image, ascending."""
    index = {name: k for k, name in enumerate(classes.tolist())}
    found = []
    for number, mine in enumerate(names):
        strange = [name for name in mine if _plain(name) not in index]
        if strange:
            raise InvalidValueError(
                f'target {number}: label {strange[0]!r} is none of classes={classes.tolist()}'
            )
        found.append(sorted({index[_plain(name)] for name in mine}))
    return found
