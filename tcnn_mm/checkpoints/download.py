"""Download of a weight file, checked by the hash in its name; never when TCNN_OFFLINE is set."""

import os
import os.path as osp
import re
import sys
from urllib.error import URLError

import torch

from tcnn_mm.errors import UserError


def is_offline() -> bool:
    """Whether TCNN_OFFLINE forbids to reach out: set to anything but '' and '0'."""
    return os.environ.get('TCNN_OFFLINE', '') not in ('', '0')


def download(url: str, folder: str) -> str:
    """Fetch a file into a folder with torch.hub, with a progress bar; it is complete or absent.

    Args:
        url: Its last part is the file's name. A name that ends in `-` and 8 or more hex digits
            before its extension (torchvision's do) says the beginning of the file's sha256.
        folder: Made if absent.

    Returns:
        Path of the file. One that exists is not fetched again.

    Raises:
        UserError: TCNN_OFFLINE is set; the server cannot be reached; another hash.
    """
    name = osp.basename(url)
    path = osp.join(osp.abspath(folder), name)
    if osp.isfile(path):
        return path
    if is_offline():
        raise UserError(
            f'TCNN_OFFLINE is set, so {name} is not downloaded: get {url} and put it there: {path}'
        )
    named = re.search(r'-([0-9a-f]{8,})\.\w+$', name)
    os.makedirs(osp.dirname(path), exist_ok=True)
    try:
        torch.hub.download_url_to_file(
            url, path, named.group(1) if named else None, progress=sys.stderr.isatty()
        )
    except URLError as error:
        raise UserError(
            f'{url}: cannot be reached ({error.reason}); get it elsewhere and put it there: {path}'
        ) from error
    except RuntimeError as error:  # torch.hub's for a wrong hash
        raise UserError(f'{url}: {error}; nothing was kept') from error
    return path
