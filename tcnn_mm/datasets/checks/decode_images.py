"""Decode every image of a data set once, on all cores: damaged files, and fingerprints."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from PIL import ImageFile

from tcnn_mm.datasets.checks.duplicate_images import Fingerprint, fingerprint
from tcnn_mm.errors import UserError

_LOCK = threading.Lock()


def decode_images(
    paths: Iterable[str],
    on_image: Callable[[], object] = lambda: None,
    workers: int | None = None,
) -> dict[str, Fingerprint | str]:
    """Decode image files; each in full, a JPEG at a reduced size.

    Args:
        paths: The files; a file that is given several times is decoded once.
        on_image: Called after each file, on the caller's thread: the `update` of a progress bar.
        workers: Threads. Defaults to the number of cores.

    Returns:
        Path → its fingerprint, or the message of its :class:`UserError` (one line with the path),
        in the order of `paths`.
    """
    files = list(dict.fromkeys(paths))
    found: dict[str, Fingerprint | str] = {}
    with _whole_files(), ThreadPoolExecutor(workers or count_cores()) as pool:
        try:
            for path, result in zip(files, pool.map(_decode, files), strict=True):
                found[path] = result
                on_image()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _decode(path: str) -> Fingerprint | str:
    try:
        return fingerprint(path)
    except UserError as error:
        return str(error)


def count_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _whole_files() -> Iterator[None]:
    """Let Pillow refuse truncated files, also in a process that has it fill them with grey."""
    with _LOCK:
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
