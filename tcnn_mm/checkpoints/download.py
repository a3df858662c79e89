"""Download of weight files: resumed, checked by sha256, complete or absent; offline, an error."""

import http.client
import os
import os.path as osp
import re
import sys
import urllib.request
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from mmengine.logging import print_log
from tqdm import tqdm

from tcnn_mm.checkpoints.owner_lock import owner_lock
from tcnn_mm.checkpoints.weight_paths import file_sha256
from tcnn_mm.errors import UserError

# Connections that one call makes before it gives up; each goes on where the last one ended.
TRIES = 4
# Seconds without a byte, after which a connection is given up.
TIMEOUT = 30
_BLOCK = 1 << 18
# What becomes of a download that was interrupted.
_BROKEN = (ConnectionError, TimeoutError, http.client.HTTPException)


def is_offline() -> bool:
    """Whether TCNN_OFFLINE forbids to reach out: set to anything but '' and '0'."""
    return os.environ.get('TCNN_OFFLINE', '') not in ('', '0')


def named_sha256(name: str) -> str:
    """Beginning of the sha256 that a file name says, as torchvision's do: NAME-HEX.pth; or ''."""
    found = re.search(r'-([0-9a-f]{8,64})\.\w+$', name)
    return found.group(1) if found else ''


def download(
    url: str, folder: str, name: str | None = None, sha256: str = '', licence: str = ''
) -> str:
    """Fetch a file into a folder, with a progress bar; one that exists is not fetched again.

    An interrupted download is continued, by this call and by a later one, where the hash is known
    and the server gives parts of files; else it starts anew.

    Args:
        url: http(s) or file.
        folder: Made if absent.
        name: Of the file. Defaults to the last part of the URL.
        sha256: Of the file, hex, or its beginning. Defaults to what the name says, if anything.
        licence: Of the file, for the line that says what is fetched.

    Returns:
        Absolute path of the file.

    Raises:
        UserError: TCNN_OFFLINE is set; the server cannot be reached or has no such file; another
            hash, and then nothing is kept.
    """
    name = name or osp.basename(unquote(urlsplit(url).path))
    path = osp.join(osp.abspath(folder), name)
    if osp.isfile(path):
        return path
    if is_offline():
        raise UserError(
            f'TCNN_OFFLINE is set, so {name} is not downloaded: get {url} and put it there: {path}'
        )
    os.makedirs(osp.dirname(path), exist_ok=True)
    sha256 = sha256 or named_sha256(name)

    def busy(owner: str) -> None:
        print_log(f'{owner} is downloading {path}; waiting for it', 'current')

    with owner_lock(f'{path}.lock', busy):
        if osp.isfile(path):  # another process has fetched it
            return path
        part = f'{path}.part'
        if osp.exists(part) and not sha256:
            os.remove(part)  # perhaps of another version of the file
        terms = f'; licence of the weights: {licence}' if licence else ''
        print_log(f'downloading {url} to {path}{terms}', 'current')
        _fetch(url, part, path)
        found = file_sha256(part)
        if not found.startswith(sha256):
            os.remove(part)
            raise UserError(
                f'{url}: its sha256 is {found}, expected {sha256}; nothing was kept; '
                'try again, or get the file elsewhere and put it there: ' + path
            )
        os.replace(part, path)
    return path


def _fetch(url: str, part: str, path: str) -> None:
    """Write the whole file to `part`, after several connections if need be.

    Raises:
        UserError: No such file; not reachable; interrupted again and again.
    """
    elsewhere = f'get it elsewhere and put it there: {path}'
    reason = ''
    for _ in range(TRIES):
        try:
            if _receive(url, part):
                return
            reason = 'the connection ended early'
        except HTTPError as error:
            if error.code == 416:  # `part` holds more than the file has
                os.remove(part)
                continue
            raise UserError(
                f'{url}: the server answers {error.code} ({error.reason}); {elsewhere}'
            ) from error
        except URLError as error:
            if not isinstance(error.reason, _BROKEN) or isinstance(
                error.reason, ConnectionRefusedError
            ):
                raise UserError(
                    f'{url}: cannot be reached ({error.reason}); {elsewhere}'
                ) from error
            reason = str(error.reason)
        except _BROKEN as error:
            reason = str(error) or type(error).__name__
    raise UserError(
        f'{url}: interrupted {TRIES} times ({reason}); the same command goes on, or {elsewhere}'
    )


def _receive(url: str, part: str) -> bool:
    """Append what is missing to `part`; whether the file is complete then, as the server says."""
    have = osp.getsize(part) if osp.exists(part) else 0
    # Some hosts refuse urllib's own name.
    headers = {'User-Agent': 'tcnn_mm', **({'Range': f'bytes={have}-'} if have else {})}
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=TIMEOUT
    ) as answer:
        start = _start_of(answer) if have else 0
        if start not in (0, have):
            raise http.client.HTTPException(f'the server sends bytes from {start}, not {have}')
        length = answer.headers.get('Content-Length')
        total = start + int(length) if length else None
        with (
            open(part, 'ab' if start else 'wb') as file,
            tqdm(
                total=total,
                initial=start,
                unit='B',
                unit_scale=True,
                desc=osp.basename(part).removesuffix('.part'),
                disable=not sys.stderr.isatty(),
            ) as bar,
        ):
            while block := answer.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
            done = file.tell()
    return total is None or done == total


def _start_of(answer: Any) -> int:
    """First byte of a part of a file (status 206); 0 where the server sends the whole."""
    if getattr(answer, 'status', None) != 206:
        return 0
    found = re.match(r'bytes (\d+)-', answer.headers.get('Content-Range', ''))
    return int(found.group(1)) if found else -1
