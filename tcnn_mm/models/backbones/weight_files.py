"""Where the weight file of each network of the zoo is looked for, and how it is fetched."""

import glob
import os
import os.path as osp
import re
from typing import NamedTuple

import torchvision

from tcnn_mm.checkpoints.download import download
from tcnn_mm.checkpoints.weight_paths import file_digest, local_path
from tcnn_mm.checkpoints.zoo import ZOO, ZOO_SCHEME, installed_path, zoo_entry, zoo_path


class WeightFile(NamedTuple):
    """The weight file of a network.

    Attributes:
        name: Of the network.
        wanted: File names or patterns that are looked for, in this order.
        folder: Where: TCNN_WEIGHTS, or the package for a file that ships.
        path: The file that was found, None if there is none.
        url: Where torchvision has such a file; None for a file that ships.
    """

    name: str
    wanted: list[str]
    folder: str
    path: str | None
    url: str | None


def weights_folder() -> str:
    """Absolute path of TCNN_WEIGHTS."""
    return osp.abspath(osp.expanduser(os.environ.get('TCNN_WEIGHTS') or 'checkpoints'))


def is_torchvision_file(path: str) -> bool:
    """Whether a file is one of torchvision's downloads: its name ends in its own sha256."""
    named = re.search(r'-([0-9a-f]{8})\.pth$', osp.basename(path))
    return named is not None and file_digest(path).startswith(named.group(1))


def find_weight_file(name: str, own: str | None = None) -> WeightFile:
    """Look for the weight file of a network: its own, else one of torchvision's.

    Args:
        name: As torchvision calls the network.
        own: The file that its config names, if any; `tcnn_mm://FILE` for one that ships.
    """
    if own and own.startswith('tcnn_mm://'):
        path = local_path(own)
        return WeightFile(name, [osp.basename(path)], osp.dirname(path), path, None)
    if own and own.startswith(ZOO_SCHEME):
        entry = zoo_entry(own)
        wanted = [osp.basename(entry.member)]
        return WeightFile(name, wanted, entry.package, installed_path(entry), None)
    folder = weights_folder()
    patterns = [own] if own else []
    patterns.append('alexnet-owt-*.pth' if name == 'alexnet' else f'{name}-*.pth')
    found = [path for p in patterns for path in sorted(glob.glob(osp.join(folder, p)))]
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    return WeightFile(name, patterns, folder, next(iter(found), None), url)


def fetch_weight_file(file: WeightFile) -> str:
    """Path of a weight file; torchvision's is downloaded into TCNN_WEIGHTS where there is none.

    Raises:
        UserError: It cannot be fetched.
    """
    if file.path is None and file.name in ZOO:
        return zoo_path(file.name)
    if file.path is None:
        assert file.url is not None  # only a file that ships has none, and it is there
        return download(file.url, file.folder)
    return file.path
