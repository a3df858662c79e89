"""Where the weight file of each network of the zoo is looked for, and how it is fetched."""

import glob
import os
import os.path as osp
from typing import NamedTuple

import torchvision

from tcnn_mm.checkpoints.download import download
from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.zoo import BACKBONES


class WeightFile(NamedTuple):
    """The weight file of a network.

    Attributes:
        name: Of the network, a key of `BACKBONES`.
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


def find_weight_file(name: str) -> WeightFile:
    """Look for the weight file of a network: that of its config, else one of torchvision's.

    Raises:
        UserError: An unknown name.
    """
    if name not in BACKBONES:
        raise UserError(f'no network {name}; choose from {", ".join(BACKBONES)}')
    own = BACKBONES[name].weights
    if own and own.startswith('tcnn_mm://'):
        path = local_path(own)
        return WeightFile(name, [osp.basename(path)], osp.dirname(path), path, None)
    folder = weights_folder()
    patterns = [own] if own else []
    patterns.append('alexnet-owt-*.pth' if name == 'alexnet' else f'{name}-*.pth')
    found = [path for p in patterns for path in sorted(glob.glob(osp.join(folder, p)))]
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    return WeightFile(name, patterns, folder, next(iter(found), None), url)


def fetch_weight_file(name: str) -> WeightFile:
    """Find the weight file of a network, or download torchvision's into TCNN_WEIGHTS.

    Raises:
        UserError: An unknown name; it is absent and cannot be fetched.
    """
    file = find_weight_file(name)
    if file.path is None and file.url is not None:
        return file._replace(path=download(file.url, file.folder))
    return file
