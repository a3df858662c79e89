"""Digests of image files: whether a file is still the one that was read."""

import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mmengine.dataset import BaseDataset

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_io import check_regular
from tcnn_mm.datasets.remote_files import is_gone
from tcnn_mm.engine.progress import progress_steps
from tcnn_mm.errors import UserError

# Of a larger file than two of these, earlier versions read this many bytes at each end.
END = 1 << 16
# In the digest of such a file: all of its bytes were read.
WHOLE = 'all-'
# Bytes that are read at once, files at a time, and files that wait for a thread: of a million, each
# of which waited, there would be 1.4 GB.
BLOCK, THREADS, WAITING = 1 << 20, 8, 1000


def covers_ends(digest: Any) -> bool:
    """Whether a digest is one of an earlier version, of the ends of a large file alone."""
    size, _, rest = str(digest).partition('-')
    return size.isdecimal() and int(size) > 2 * END and not rest.startswith(WHOLE)


def image_digest(path: str, ends: bool = False) -> str:
    """'SIZE-DIGEST' of an image file: its bytes, and 16 hex digits of the sha256 of all of them.

    Of files of more than 128 KiB 'SIZE-all-DIGEST': without 'all-' it is the digest of an earlier
    version, over the first and last 64 KiB. Times do not count: a copy of a data set has the same
    digests. Files of a remote store are not read: 'remote'. One core reads 1 GB in about 1 s, and
    decodes it in 27 s.

    Args:
        path: The file.
        ends: Of a large file, give the digest of an earlier version.

    Raises:
        UserError: The file cannot be read, or is no file: a pipe would never end.
    """
    if not check_regular(path):
        return 'remote'
    try:
        with open(path, 'rb') as file:
            size = os.fstat(file.fileno()).st_size
            large = size > 2 * END
            digest = hashlib.sha256(file.read(END))
            if ends and large:
                file.seek(size - END)
                digest.update(file.read(END))
            else:
                while block := file.read(BLOCK):
                    digest.update(block)
    except OSError as error:
        raise UserError(f'{printable(path)}: cannot be read ({error.strerror})') from error
    return f'{size}-{WHOLE if large and not ends else ""}{digest.hexdigest()[:16]}'


def file_digests(paths: Sequence[str], ends: Iterable[bool]) -> list[str]:
    """Digests of files, several at a time; `ends` as of :func:`image_digest`, per file.

    After two seconds a bar says that image files are compared.
    """
    digests, rest = [], iter(ends)
    with (
        ThreadPoolExecutor(THREADS) as pool,
        progress_steps(len(paths), what='comparing image files') as advance,
    ):
        for first in range(0, len(paths), WAITING):
            part = paths[first : first + WAITING]
            for digest in pool.map(image_digest, part, itertools.islice(rest, len(part))):
                digests.append(digest)
                advance()
    return digests


def image_paths(dataset: BaseDataset) -> list[str]:
    """Files of the images of a data set, in its order."""
    return [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]


def image_digests(
    dataset: BaseDataset, records: Sequence[Mapping[str, Any]] | None = None
) -> list[str]:
    """Digests of the image files of a data set, in its order.

    Args:
        dataset: N images.
        records: N, of the same images. Where the digest of one is of an earlier version, that of
            the file is of the same kind; where its file is gone, it is the digest.
    """
    paths = image_paths(dataset)
    known = [record.get('digest') for record in records or [{}] * len(paths)]
    gone = [digest and is_gone(path) for path, digest in zip(paths, known, strict=True)]
    there = [n for n, is_away in enumerate(gone) if not is_away]
    found = iter(file_digests([paths[n] for n in there], [covers_ends(known[n]) for n in there]))
    return [
        str(digest) if is_away else next(found) for digest, is_away in zip(known, gone, strict=True)
    ]


def replaced_images(records: Sequence[Mapping[str, Any]], digests: Sequence[str]) -> list[str]:
    """Ids of the images whose files are others; a record without a digest is not compared."""
    return [
        record['img_id']
        for record, digest in zip(records, digests, strict=True)
        if record.get('digest', digest) != digest
    ]
