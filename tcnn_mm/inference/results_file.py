"""The file of results that grows while images are predicted: one JSON object per line.

The first line describes the prediction; each other line is the result of one image, with size and
times of its file. Only whole lines count: what a killed process left of its last line is cut off.
"""

import json
import math
import os
import os.path as osp
import shutil
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.checkpoints.file_lock import lock_file
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.inference.results import ImageResult

# Size, and times of last change of content and of name or permission, of the file of an image.
STAMP = 'file'
# CRC-32 of the rest of its line, hex.
CHECK = 'check'
# Of the first line: another path or version gives the same results.
_NOT_COMPARED = ('checkpoint', 'version')


def to_json(value: Any) -> str:
    """One line of strict JSON; NaN and infinity are null."""
    return json.dumps(_without_nan(value), ensure_ascii=False, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value


def line_bytes(entry: Mapping[str, Any]) -> bytes:
    """A line of the file without its end."""
    return to_json(entry).encode('utf-8', 'backslashreplace')


def checksum(entry: Mapping[str, Any]) -> str:
    """CRC-32 of a result without :data:`CHECK`, hex."""
    rest = {key: value for key, value in entry.items() if key != CHECK}
    return f'{zlib.crc32(line_bytes(rest)):08x}'


def is_overlay(name: Any) -> bool:
    """Whether a result names a file in the folder of overlays, and not one elsewhere."""
    return isinstance(name, str) and osp.split(name)[0] == 'overlays' and bool(osp.basename(name))


def file_stamp(path: str) -> list[int] | None:
    """What changes when a file does: bytes, and two times in ns; None where there is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What two first lines tell apart, in words."""
    keys = [k for k in {**old, **new} if k not in _NOT_COMPARED and old.get(k) != new.get(k)]
    found = []
    for key in keys:
        if key == 'checkpoint_sha256':
            found.append(f'checkpoint: {old.get("checkpoint")}, now {new.get("checkpoint")}')
        else:
            found.append(f'{key}: {old.get(key)}, now {new.get(key)}')
    return found


def _replace_link(path: str) -> None:
    """Put a copy in the place of a link: its file, of a store or of another OUT, is not ours.

    Raises:
        UserError: A link to nothing.
    """
    if not osp.islink(path):
        return
    if not osp.isfile(path):
        raise UserError(
            f'{printable(path)}: a link to {printable(os.readlink(path))}, which is no file; '
            'remove the link to predict all images again'
        )
    with atomic_path(path) as draft:
        shutil.copyfile(path, draft)


class ResultsFile:
    """Appends results, and knows those that an earlier process wrote.

    Args:
        path: The file; made where it is missing.
        head: First line: what the results depend on.

    Attributes:
        results (dict): Path of an image → its newest result, with :data:`STAMP`.

    Raises:
        UserError: The file has results of another prediction, a line that is no result, or
            another process writes it.
    """

    def __init__(self, path: str, head: Mapping[str, Any]) -> None:
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}
        _replace_link(path)
        self._file = open(path, 'a+b', buffering=0)  # noqa: SIM115 (closed by __exit__)
        try:
            if not lock_file(self._file):
                raise UserError(
                    f'{printable(path)}: another process writes it; wait for its end, or give '
                    'another --out'
                )
            self._read(head)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> 'ResultsFile':
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _read(self, head: Mapping[str, Any]) -> None:
        """Read the whole lines, cut off the rest; write the first line of an empty file."""
        self._file.seek(0)
        whole = 0
        with open(os.dup(self._file.fileno()), 'rb') as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b'\n'):
                    break
                self._take(number, line, head)
                whole += len(line)
        self._file.truncate(whole)
        if not whole:
            self._append([head])

    def _take(self, number: int, line: bytes, head: Mapping[str, Any]) -> None:
        where = f'{printable(self.path)}, line {number}'
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if number == 1 and isinstance(entry, dict) and 'checkpoint' in entry:
            changed = differences(entry, json.loads(to_json(head)))
            if changed:
                raise UserError(
                    f'{printable(self.path)}: has results of another prediction '
                    f'({printable("; ".join(changed))}); give another --out, or remove the file'
                )
        elif number > 1 and isinstance(entry, dict) and isinstance(entry.get('img_path'), str):
            self._take_result(where, entry)
        else:
            raise UserError(
                f'{where}: no result of tcnn predict; remove the line, or the file to predict '
                'all images again'
            )

    def _take_result(self, where: str, entry: dict[str, Any]) -> None:
        if CHECK not in entry:  # of an earlier version: predicted again
            return
        if entry[CHECK] != checksum(entry) or not is_overlay(entry.get('overlay', 'overlays/x')):
            raise UserError(
                f'{where}: was changed since tcnn predict wrote it; remove the line to predict its '
                'image again, or the file to predict all'
            )
        self.results[entry['img_path']] = entry

    def _append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Write lines at once; what a full disk took of them is cut off again."""
        data = memoryview(b''.join(line_bytes(entry) + b'\n' for entry in entries))
        before = os.fstat(self._file.fileno()).st_size
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._file.truncate(before)
            error.filename = self.path
            raise

    def append(self, results: Iterable[ImageResult]) -> None:
        """Add the results of images; they are in the file when this returns."""
        stamped = [{**result, STAMP: file_stamp(str(result['img_path']))} for result in results]
        entries = [{**entry, CHECK: checksum(entry)} for entry in stamped]
        self._append(entries)
        self.results.update((str(entry['img_path']), entry) for entry in entries)

    def is_done(self, image: str) -> bool:
        """Whether an image has a result, without error, of the file as it is now."""
        entry = self.results.get(image)
        if entry is None or 'error' in entry or entry.get(STAMP) != file_stamp(image):
            return False
        overlay = entry.get('overlay')
        return overlay is None or osp.isfile(osp.join(osp.dirname(self.path), overlay))

    def result(self, image: str) -> ImageResult:
        """The newest result of an image, without what is for this file alone."""
        entry = self.results[image]
        return cast(ImageResult, {key: entry[key] for key in entry if key not in (STAMP, CHECK)})
