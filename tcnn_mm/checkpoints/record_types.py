"""Check what a checkpoint says beside its weights: types, numbers and names that can be used.

A record that was edited, cut or made by others would end in a traceback, or silently in other
labels: two classes of one name are one entry of a table, a threshold of NaN is never reached.
"""

import math
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tcnn_mm.errors import UserError

# Of a digest of an image, characters at most in a list, and in one text of all.
_PRINT, _DIGITS = 64, 12
_SHORT = reprlib.Repr()
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 12
_SHORT.maxstring = _SHORT.maxother = 80


def check_meta(content: Mapping[str, Any], name: str) -> None:
    """Check `meta` of a checkpoint that :func:`model_record` has described; others pass.

    Args:
        content: Of the checkpoint.
        name: Of its file, for the error.

    Raises:
        UserError: Names the entry, its value and what is expected.
    """
    meta = _table(content.get('meta'), 'meta', name)
    record = _table(meta.get('tcnn_mm'), "meta['tcnn_mm']", name)
    if not record:
        return
    data = _table(meta.get('dataset_meta'), "meta['dataset_meta']", name)
    classes = data.get('classes')
    if classes is not None:
        _need(_are_names(classes), "meta['dataset_meta']['classes']", classes, _NAMES, name)
    for key, (fits, expected) in _ENTRIES.items():
        value = record.get(key)
        if value is not None:
            _need(fits(value), f"meta['tcnn_mm'][{key!r}]", value, expected, name)
    for key in ('thresholds', 'calibration'):
        if record.get(key) and classes:
            other = sorted({*record[key]} ^ {*classes})
            _need(not other, f"meta['tcnn_mm'][{key!r}]", other, 'one entry per class', name)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that float64 holds; True and False are none."""
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def short(value: Any) -> str:
    """A value in a message, at most a line of it."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python prints no integers of more than 4300 digits
        return f'a {type(value).__name__} that is too long'


def _table(value: Any, entry: str, name: str) -> Mapping[str, Any]:
    value = {} if value is None else value
    _need(isinstance(value, Mapping), entry, value, 'a dict', name)
    return value


def _need(fits: bool, entry: str, value: Any, expected: str, name: str) -> None:
    if not fits:
        raise UserError(
            f'{name}: {entry} is {short(value)}, expected {expected}; the file was changed since '
            'it was written: take another copy of it'
        )


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and all(isinstance(each, str) and each for each in value)
        and len({*value}) == len(value)
    )


def _are_thresholds(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and (each is None or is_number(each)) for key, each in value.items()
    )


def _are_curves(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str)
        and (each is None or (isinstance(each, (list, tuple)) and _is_curve(*each)))
        for key, each in value.items()
    )


def _is_curve(*numbers: Any) -> bool:
    return len(numbers) == 2 and all(map(is_number, numbers)) and numbers[0] > 0


def _are_prints(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) % _DIGITS == 0 and re.fullmatch('[0-9a-f]*', value) is not None
    return isinstance(value, (list, tuple, set)) and _all_short(value)


def _all_short(values: Iterable[Any]) -> bool:
    return all(isinstance(each, str) and len(each) <= _PRINT for each in values)


_NAMES = 'a list of different names'
# Entry of the record → whether a value fits, and what is expected.
_ENTRIES: dict[str, tuple[Callable[[Any], bool], str]] = {
    'thresholds': (_are_thresholds, 'a dict of class → number or None'),
    'calibration': (_are_curves, 'a dict of class → slope (positive) and offset, or None'),
    'thresholds_chosen_on': (lambda value: isinstance(value, str), 'text'),
    'damping': (lambda value: is_number(value) and value >= 0, 'a number from 0 on'),
    'upright': (lambda value: isinstance(value, bool), 'True or False'),
    'training_images': (lambda value: isinstance(value, Mapping), 'a dict'),
    'trained_on': (_are_prints, '12 hex digits per image'),
}
