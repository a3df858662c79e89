"""Values of a JSON of annotations, checked: numbers, flags, ids, and the errors about them."""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.errors import UserError

_NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?', re.ASCII)
_WHOLE = re.compile(r'\s*[+-]?\d{1,18}(\.0*)?\s*', re.ASCII)
_WORDS = {'': False, 'true': True, 'false': False, 'yes': True, 'no': False}

T = TypeVar('T')


def load_json(path: str) -> Any:
    """Read a JSON file in UTF-8.

    Raises:
        UserError: What :func:`read_text` refuses, broken JSON, a key that an object has more than
            once; one line.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            duplicate = next(key for key in keys if keys.count(key) > 1)
            raise UserError(f'{path}: an object has the key {shown(duplicate)} more than once')
        return content

    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=unique)
    except RecursionError as error:
        raise UserError(f'{path}: nested too deeply for a JSON of annotations') from error
    except ValueError as error:
        reason = 'the file is empty' if not text.strip() else error
        raise UserError(
            f'{path}: broken JSON ({reason}); export, download or convert it again'
        ) from error


def shown(value: Any, most: int = 60) -> str:
    """A value for a message, in one line of at most `most` letters and '…'."""
    text = repr(value) if not isinstance(value, dict | list) else json.dumps(value)[: most + 1]
    return text if len(text) <= most else f'{text[:most]}…'


def as_number(value: Any) -> float | None:
    """A finite number, also one that is written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_id(value: Any) -> int | str | None:
    """An id: a whole number or text; None for anything else."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass
class JsonFile:
    """A file being read: where its errors and its account entries point.

    Attributes:
        path (str): For errors.
        label (str): For the account: the path below the root of the data.
        account (Account): Of the reading.
    """

    path: str
    label: str
    account: Account

    def error(self, where: str, text: str) -> UserError:
        """An error about one place: 'annotation 4', ' has no "bbox"'."""
        return UserError(f'{self.path}: {where}{text}')

    def place(self, where: str) -> str:
        """A place for the account."""
        return f'{self.label}: {where}'

    def repair(self, reason: str, where: str) -> None:
        """Count a repair."""
        self.account.repair(reason, self.place(where))

    def section(self, content: dict[str, Any], key: str, one: str) -> list[dict[str, Any]]:
        """The entries of a list of objects; `one` names an entry.

        Raises:
            UserError: Not a list of objects.
        """
        entries = content[key]
        if not isinstance(entries, list):
            raise self.error(f'"{key}"', f' is {shown(entries)}, expected a list')
        for at, entry in enumerate(entries, 1):
            if not isinstance(entry, dict):
                raise self.error(f'{one} {at}', f' is {shown(entry)}, expected an object')
        return entries

    def required(self, entry: dict[str, Any], key: str, where: str) -> Any:
        """The value of a key that has to be there.

        Raises:
            UserError: No such key, or null.
        """
        if key not in entry:
            keys = shown(', '.join(map(str, entry)) or 'none')
            raise self.error(where, f' has no "{key}"; its keys: {keys}; add it')
        if entry[key] is None:
            remedy = f'write it, or remove this {where.split()[0]}'
            raise self.error(where, f': {key} is null; {remedy}')
        return entry[key]

    def id(self, entry: dict[str, Any], key: str, where: str) -> int | str:
        """An id that has to be there."""
        value = as_id(self.required(entry, key, where))
        if value is None:
            raise self.error(where, f': {key} is {shown(entry[key])}, expected a number or text')
        return value

    def text(self, entry: dict[str, Any], key: str, where: str) -> str:
        """Text that has to be there; a number is taken as text, which is a repair."""
        value = self.required(entry, key, where)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.repair(f'{key} is a number, read as text', where)
            return str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.error(where, f': {key} is {shown(value)}, expected text')
        return value

    def flag(self, entry: dict[str, Any], key: str, where: str) -> bool:
        """A flag, False where it is missing; text is a repair.

        Raises:
            UserError: Neither a number nor a truth value.
        """
        value = entry.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        number = as_number(value)
        if isinstance(value, str):
            word = _WORDS.get(value.strip().lower())
            if number is None and word is None:
                raise self.error(where, f': {key} is {shown(value)}, expected 0 or 1')
            self.repair(f'{key} is text, read as 0 or 1', where)
            return bool(number) if word is None else word
        if number is None:
            raise self.error(where, f': {key} is {shown(value)}, expected 0 or 1')
        return bool(number)

    def size_hw(self, entry: dict[str, Any], where: str) -> tuple[int, int] | None:
        """Height and width of an image; None where the file does not say both.

        Raises:
            UserError: Not numbers.
        """
        values = [entry.get(key) for key in ('height', 'width')]
        if all(value is None for value in values):
            return None
        numbers = [0.0 if value is None else as_number(value) for value in values]
        if None in numbers:
            text = f': height and width are {shown(values)}, expected numbers of pixels'
            raise self.error(where, text)
        height, width = (int(number or 0) for number in numbers)
        if min(height, width) < 1 or [height, width] != numbers:
            self.repair('size in the file is no number of pixels: that of the image counts', where)
            return None
        if any(isinstance(value, str) for value in values):
            self.repair('size is text, read as numbers', where)
        return height, width


@dataclass
class ById(Generic[T]):
    """Entries by their ids.

    An id is found as it is written. Where it is not there, text and number of the same value are
    the same id: '7' finds 7, and 7 finds '007', if there is one such entry.
    """

    entries: dict[int | str, T] = field(default_factory=dict)
    _numbers: dict[int, list[int | str]] = field(default_factory=dict)

    def add(self, key: int | str, entry: T) -> T:
        """Add an entry, unless its id is there; gives the one that is there."""
        if key in self.entries:
            return self.entries[key]
        number = id_number(key)
        if number is not None:
            self._numbers.setdefault(number, []).append(key)
        self.entries[key] = entry
        return entry

    def find(self, key: int | str) -> tuple[T | None, bool]:
        """The entry of an id, and whether it was found by its value in another type."""
        if key in self.entries:
            return self.entries[key], False
        number = id_number(key)
        same = self._numbers.get(number, []) if number is not None else []
        return (self.entries[same[0]], True) if len(same) == 1 else (None, False)


def id_number(key: int | str) -> int | None:
    """The number that an id is, also one that is written as text."""
    if isinstance(key, int):
        return key
    return int(key.partition('.')[0]) if _WHOLE.fullmatch(key) else None
