"""The weight file of each network: where it is looked for, what is known of it, how to fetch it."""

import glob
import os
import os.path as osp
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tcnn_mm.checkpoints.download import download, named_sha256
from tcnn_mm.checkpoints.mmpretrain_index import MMPRETRAIN, mmpretrain_file
from tcnn_mm.checkpoints.published import PublishedFile, timm_file, torchvision_file
from tcnn_mm.checkpoints.weight_paths import SCHEME, file_sha256, local_path
from tcnn_mm.checkpoints.zoo import ZOO_SCHEME, installed_path, zoo_entry, zoo_path

# What describes the file of a network, by the library that publishes it.
PUBLISHERS = {'torchvision': torchvision_file, 'timm': timm_file, MMPRETRAIN: mmpretrain_file}


class WeightFile(NamedTuple):
    """The weight file of a network.

    Attributes:
        name: Of the network, as it is asked for.
        wanted: File names or patterns that are looked for, in this order.
        folder: Where: TCNN_WEIGHTS, or the package that holds the file.
        path: The file that was found, None if there is none.
        licence: Of the published weights.
        size: Megabytes; None if not known.
        top1: Accuracy on ImageNet, percent; None if not known.
        pixels: What the published weights expect; None for a file whose config says it.
        sha256: Of the published file, or its beginning; '' if not known.
        published: The file on a server; None for one that a package holds.
        notes: What else is to be known.
    """

    name: str
    wanted: list[str]
    folder: str
    path: str | None
    licence: str
    size: float | None = None
    top1: float | None = None
    pixels: dict[str, Any] | None = None
    sha256: str = ''
    published: PublishedFile | None = None
    notes: str = ''


def weights_folder() -> str:
    """Absolute path of TCNN_WEIGHTS."""
    return osp.abspath(osp.expanduser(os.environ.get('TCNN_WEIGHTS') or 'checkpoints'))


def shipped_file(name: str, own: str) -> WeightFile:
    """A file that this package or a package of the zoo holds: `tcnn_mm://FILE`, `zoo://NAME`."""
    if own.startswith(SCHEME):
        path = local_path(own)
        return WeightFile(name, [osp.basename(path)], osp.dirname(path), path, 'Apache-2.0')
    entry = zoo_entry(own)
    return WeightFile(
        name=name,
        wanted=[osp.basename(entry.member)],
        folder=f'the package {entry.package}',
        path=installed_path(entry),
        licence=entry.licence,
        size=entry.size / 1e6,
        top1=entry.top1,
        pixels=entry.pixels,
        sha256=entry.sha256,
        notes=entry.padding,
    )


def published_file(name: str, source: str, network: str, own: str | None = None) -> WeightFile:
    """A file in TCNN_WEIGHTS: that of the network's config, else the one that a library publishes.

    Args:
        name: As it is asked for.
        source: A key of :data:`PUBLISHERS`.
        network: Its name there.
        own: File name that its config has, if any.

    Raises:
        UserError: timm is not installed, or publishes no such weights.
    """
    public = PUBLISHERS[source](network)
    patterns = [own] if own else []
    patterns.append(public.file)
    if source == 'torchvision' and network != 'alexnet':  # older weights of the same network
        patterns.append(f'{network}-*.pth')
    folder = weights_folder()
    found = [path for p in patterns for path in sorted(glob.glob(osp.join(folder, p)))]
    return WeightFile(
        name=name,
        wanted=patterns,
        folder=folder,
        path=next(iter(found), None),
        licence=public.licence,
        size=public.size,
        top1=public.top1,
        pixels=public.pixels,
        sha256=public.sha256,
        published=public,
        notes=public.notes,
    )


def is_published(path: str, file: WeightFile) -> bool:
    """Whether a file is published for the network: by its name, and by the hash in it if any."""
    if file.published is None:
        return False
    name = osp.basename(path)
    named = named_sha256(name)
    known = any(fnmatchcase(name, p) for p in file.wanted if p == file.published.file or '*' in p)
    return known and file_sha256(path).startswith(named)


def fetch_weight_file(file: WeightFile) -> str:
    """Path of a weight file, downloaded into TCNN_WEIGHTS where it is not there yet.

    Raises:
        UserError: It cannot be fetched; its package is not installed.
    """
    if file.path is not None:
        return file.path
    if file.published is None:
        return zoo_path(ZOO_SCHEME + file.name)
    public = file.published
    return download(public.url, file.folder, public.file, public.sha256, public.licence)
