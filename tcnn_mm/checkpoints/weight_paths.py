"""Paths of weight files, also of those that ship with the package and of the zoo."""

import hashlib
import os
import os.path as osp

from tcnn_mm.checkpoints.zoo import ZOO_SCHEME, zoo_entry, zoo_path

# Weights that ship with the package, made by our own recipes.
SHIPPED = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'models', 'weights')
SCHEME = 'tcnn_mm://'


def local_path(filename: str) -> str:
    """Absolute path of a weight file; `tcnn_mm://FILE` is one that ships, `zoo://NAME` the zoo's.

    Raises:
        UserError: An unknown name of the zoo; its package is not installed.
    """
    if filename.startswith(ZOO_SCHEME):
        return zoo_path(filename)
    if filename.startswith(SCHEME):
        return osp.join(SHIPPED, filename[len(SCHEME) :])
    return osp.abspath(osp.expanduser(filename))


def file_digest(filename: str) -> str:
    """First 16 hex digits of a file's sha256; the name itself where it is no local file.

    Of `zoo://NAME` it is what the file has to have, whether it is there or not.
    """
    if filename.startswith(ZOO_SCHEME):
        return zoo_entry(filename).sha256[:16]
    path = local_path(filename)
    if not osp.isfile(path):
        return filename
    return file_sha256(path)[:16]


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Hex sha256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()
