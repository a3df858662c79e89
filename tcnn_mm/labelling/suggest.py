"""Suggest which unlabelled images to label next, and write what is needed to label them."""

import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tcnn_mm.checkpoints.atomic_write import remove_stale_drafts
from tcnn_mm.checkpoints.zoo import DEFAULT_BACKBONE
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inputs import list_images
from tcnn_mm.labelling.suggest_choice import UNCERTAIN, choose, typical_share
from tcnn_mm.labelling.suggest_features import FeatureFolder, whole_features
from tcnn_mm.labelling.suggest_files import LIST, PAGE, TABLE, TASKS, write_files
from tcnn_mm.labelling.suggest_pool import Pool, make_pool
from tcnn_mm.labelling.suggest_source import (
    Source,
    find_fit,
    fit_source,
    labelled_paths,
    network_source,
)
from tcnn_mm.labelling.suggest_table import Suggestion
from tcnn_mm.labelling.suggest_votes import judge


@dataclass(frozen=True)
class NetworkOptions:
    """A network without a fit: its name, weight file, pixels of a file of unknown origin."""

    backbone: str | None = None
    weights: str | None = None
    pixels: str | None = None

    def given(self) -> list[str]:
        """Names of the options that are set."""
        return [name for name, value in vars(self).items() if value is not None]


class Suggestions(NamedTuple):
    """What was suggested and written.

    Attributes:
        suggestions (list[Suggestion]): The most useful first.
        classes (list[str]): K names; none of a network alone.
        labelled (int): Number of labelled images.
        pool (Pool): What it was chosen from, and what was left out.
        files (dict[str, str]): Name of a file → its path.
        folder (str): That has all images.
    """

    suggestions: list[Suggestion]
    classes: list[str]
    labelled: int
    pool: Pool
    files: dict[str, str]
    folder: str


def suggest(
    run: str | None,
    unlabelled: Sequence[str],
    out: str | None = None,
    count: int = 50,
    labelled: Sequence[str] = (),
    features: str | None = None,
    network: NetworkOptions | None = None,
    device: str | None = None,
    trust: bool = False,
    typical: float | None = None,
) -> Suggestions:
    """Choose images to label next; write a page, a table, a list of paths and pre-labels.

    Features of each image are computed once and kept; what is written is complete or absent, and
    nothing is written into the folders of images.

    Args:
        run: Folder of `tcnn fit`, or a checkpoint; None: a network alone, which knows no classes.
        unlabelled: Folders and files of images.
        out: Folder for the files. Defaults to `suggest` in the folder of the fit.
        count: At most so many.
        labelled: Folders and files of images that are labelled, beside those of the fit.
        features: Folder for features. Defaults to `features` in `out`.
        network: Which network, without `run`.
        device: Defaults to 'cuda' where there is a GPU, else 'cpu'.
        trust: See :func:`load_safely`.
        typical: Share of typical and different images. Defaults to :func:`typical_share`.

    Raises:
        UserError: No images; no fit; options of a network for a fit; no image can be read.
    """
    network = network or NetworkOptions()
    out = osp.abspath(out or default_out(run))
    paths = _listed(unlabelled, out)
    named = _listed(labelled, out) if labelled else []
    if run is None:
        source = network_source(
            network.backbone or DEFAULT_BACKBONE, network.weights, network.pixels
        )
    elif network.given():
        raise UserError(
            f'--{network.given()[0]}: {run} has its own network; leave out one of the two'
        )
    else:
        source = fit_source(run, device, trust)
    pool = make_pool(paths, labelled_paths(source, named))
    if not pool.images and pool.errors and not pool.copies:
        raise UserError('\n'.join(['no image can be read', *pool.errors]))
    os.makedirs(out, exist_ok=True)
    remove_stale_drafts(out)
    described = FeatureFolder(features or osp.join(out, 'features'), source.model, source.upright)
    suggestions = choose_images(source, pool, described, count, typical)
    images = osp.commonpath([osp.dirname(image.path) for image in pool.images] or [out])
    facts = {
        'Chosen from': f'{len(pool.images)} images of {", ".join(map(printable, unlabelled))}',
        'Labelled': f'{len(pool.labelled)} images',
        'Judged by': source.said or f'no head: features of {source.name} alone',
    }
    files = {name: osp.join(out, name) for name in (PAGE, TABLE, LIST, *TASKS)}
    write_files(files, source, suggestions, len(pool.labelled), facts, pool.notes(), images)
    return Suggestions(suggestions, source.classes, len(pool.labelled), pool, files, images)


def default_out(run: str | None) -> str:
    """`suggest` in the folder of a fit; of a checkpoint without one, or without a run, here."""
    if run is None:
        return 'suggest'
    path = find_fit(run)
    if path:
        return osp.join(osp.dirname(path), 'suggest')
    return osp.join(run if osp.isdir(run) else osp.dirname(osp.abspath(run)), 'suggest')


def _listed(given: Sequence[str], out: str) -> list[str]:
    """Absolute paths of images, without those below OUT.

    Raises:
        UserError: A path that is not there; a folder without images.
    """
    for path in given:
        if not osp.exists(path):
            raise UserError(f'{printable(path)}: no such folder or image')
    found, _ = list_images(list(given), skip=(osp.realpath(out),))
    return [*dict.fromkeys(osp.abspath(str(path)) for path in found)]


def choose_images(
    source: Source, pool: Pool, folder: FeatureFolder, count: int, typical: float | None = None
) -> list[Suggestion]:
    """Describe and judge the images of a pool, and choose some of them.

    Args:
        source: The heads and the network.
        pool: What is chosen from.
        folder: Gets the features that are missing.
        count: At most so many.
        typical: See :func:`suggest`.
    """
    if not pool.images:
        return []
    windows = bool(source.heads)
    folder.describe(pool.images, windows)
    folder.describe(pool.labelled, windows=False)
    judged = judge(source, folder, pool.images) if windows else None
    picks = choose(
        whole_features(folder, pool.images, windows),
        whole_features(folder, pool.labelled, windows=False),
        None if judged is None else np.array([each.bits.sum() for each in judged]),
        count,
        typical_share(len(pool.labelled), len(source.classes)) if typical is None else typical,
    )
    return [
        Suggestion(pool.images[p.image].path, p, judged[p.image] if judged else None) for p in picks
    ]


def kinds(suggestions: Sequence[Suggestion]) -> tuple[int, int]:
    """Numbers of typical and of uncertain images."""
    uncertain = sum(each.pick.kind == UNCERTAIN for each in suggestions)
    return len(suggestions) - uncertain, uncertain
