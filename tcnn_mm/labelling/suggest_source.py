"""What a suggestion is made by: the heads of a fit and the images it knows, or a network alone.

Letters: K classes.
"""

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path, newest_checkpoint
from tcnn_mm.checkpoints.loading import load_safely, model_state
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fold_training import fold_checkpoint, fold_tasks
from tcnn_mm.estimator.plan import network_config
from tcnn_mm.estimator.training import read_config
from tcnn_mm.evaluation.calibration import Calibration
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.models.backbones.zoo import find_features, find_weights
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import DATASETS, MODELS

# Draws of dropout, where no folds give heads.
DRAWS = 10
Head = Mapping[str, torch.Tensor]


class Source(NamedTuple):
    """What images are described and judged by.

    Attributes:
        name (str): Of the fit or network.
        model (PatchModel): In eval mode, on its device.
        upright (bool): Images are read upright.
        classes (list[str]): K names; none of a network alone.
        heads (list[Head]): Trained layers of each head; none of a network alone.
        said (str): What the heads are, in words.
        calibration (dict, optional): Class → :class:`Calibration`, or None for a class without.
        paths (list[str]): Of the images that the fit knows.
        boxes (bool): They have boxes.
    """

    name: str
    model: PatchModel
    upright: bool
    classes: list[str]
    heads: list[Head]
    said: str
    calibration: Mapping[str, Calibration | None] | None
    paths: list[str]
    boxes: bool


def network_source(backbone: str, weights: str | None = None, pixels: str | None = None) -> Source:
    """A pretrained network, without any labelled image.

    Args:
        backbone: See :func:`find_backbone`.
        weights: Its file. Defaults to the published one.
        pixels: What a file of unknown origin expects.
    """
    init_default_scope('mmpretrain')
    found = find_weights(backbone, weights, pixels)
    features = find_features(backbone, found)
    entries = {**found.model, **(features.model if features else {})}
    model = MODELS.build(network_config(backbone, entries, dict(num_classes=1)))
    model.init_weights()
    model = model.eval().to('cuda' if torch.cuda.is_available() else 'cpu')
    return Source(backbone, model, False, [], [], '', None, [], False)


def find_fit(run: str) -> str | None:
    """The config of the fit that a folder, or a checkpoint, belongs to; None without one.

    Args:
        run: OUT of `tcnn fit`, a folder inside it, or a checkpoint.
    """
    place = osp.abspath(run)
    for _ in range(3):
        path = osp.join(place, 'config.py')
        inside = osp.basename(place) in ('run', 'folds')  # mmengine leaves a copy there
        if osp.isdir(place) and osp.isfile(path) and not inside:
            return path if osp.isdir(osp.join(place, 'run')) else None
        place = osp.dirname(place)
    return None


def fit_source(run: str, device: str | None = None, trust: bool = False) -> Source:
    """The heads of a fit or of a checkpoint, and the images that the fit knows.

    Args:
        run: Folder of `tcnn fit` or of a training, or a checkpoint.
        device: Defaults to 'cuda' where there is a GPU, else 'cpu'.
        trust: See :func:`load_safely`.

    Raises:
        UserError: No checkpoint; a model of persons.
    """
    init_default_scope('mmpretrain')
    folder = osp.isdir(run)
    checkpoint = newest_checkpoint(run) if folder else run
    if checkpoint is None:
        raise UserError(
            f'{run}: no checkpoint in this folder; give the folder of a finished fit (tcnn fit DIR '
            '--out RUN), or a checkpoint'
        )
    check_checkpoint_path(checkpoint)
    trained = load_trained_model(checkpoint, None, device, trust=trust)
    model = trained.model
    if not hasattr(model.sampler, 'grid'):
        raise UserError(f'{checkpoint}: scores persons whose boxes are known, not images')
    path = find_fit(run)
    cfg = read_config(path) if path else None
    paths, boxes = known_images(cfg) if cfg else ([], False)
    found = fold_heads(cfg, model, trust) if cfg else []
    said = f'{len(found)} heads of folds'
    if not found:
        found = dropout_heads(model, DRAWS)
        said = f'{len(found)} draws of dropout' if len(found) > 1 else 'one head'
    return Source(
        osp.basename(osp.dirname(path)) if path else osp.basename(checkpoint),
        model,
        trained.upright,
        trained.classes,
        found,
        said,
        trained.calibration,
        paths,
        boxes,
    )


def known_images(cfg: Config) -> tuple[list[str], bool]:
    """Paths of all images of a fit, and whether they have boxes."""
    paths: list[str] = []
    boxes = False
    for role in ('train', 'val', 'test'):
        loader = cfg.get(f'{role}_dataloader')
        if not loader:
            continue
        dataset = DATASETS.build(dict(image_config(loader.dataset), pipeline=[]))
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            paths.append(info['img_path'])
            boxes |= len(info.get('gt_bboxes', ())) > 0
    return paths, boxes


def trained_layers(model: PatchModel) -> dict[str, torch.Tensor]:
    """Copies of the parameters that train."""
    return {
        name: parameter.detach().clone()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def fold_heads(cfg: Config, model: PatchModel, trust: bool = False) -> list[Head]:
    """The heads of the folds of a fit; none of a fit without folds, or unfinished ones."""
    if not cfg.get('cross_validation'):
        return []
    files = [fold_checkpoint(cfg, task) for task in fold_tasks(cfg)]
    if not all(map(osp.isfile, files)):
        return []
    names = trained_layers(model)
    heads: list[Head] = []
    for file in files:
        state = model_state(load_safely(file, trust=trust))
        if any(name not in state or state[name].shape != names[name].shape for name in names):
            raise UserError(f'{file}: a head of another network than the last one of the fit')
        heads.append({name: state[name] for name in names})
    return heads


def dropout_masks(width: int, share: float, draws: int, seed: int = 0) -> torch.Tensor:
    """Factors of outputs that are dropped at random: (draws, width), 0 or 1 / (1 - share).

    Args:
        width: Number of outputs.
        share: Of those that are dropped.
        draws: Number of draws.
        seed: Of the draws.
    """
    kept = np.random.default_rng(seed).random((draws, width)) >= share
    return torch.from_numpy(kept / (1 - share)).float()


def dropout_heads(model: PatchModel, draws: int, seed: int = 0) -> list[Head]:
    """Heads with the outputs of FCa dropped at random, as in training; the head itself without.

    A draw drops the same outputs for all patches of all images (Gal and Ghahramani, "Dropout as a
    Bayesian Approximation", 2016).

    Args:
        model: With an AdaptationHead.
        draws: Number of heads.
        seed: Of the draws.
    """
    whole = trained_layers(model)
    share = float(model.head.drop.p)
    if not share:
        return [whole]
    name = 'head.FCb.weight'
    masks = dropout_masks(whole[name].shape[1], share, draws, seed).to(whole[name])
    return [{**whole, name: whole[name] * mask} for mask in masks]


@torch.no_grad()
def use_head(model: PatchModel, head: Head) -> None:
    """Put the trained layers of a head into the model."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.copy_(head[name])


def labelled_paths(source: Source, more: Sequence[str]) -> list[str]:
    """Absolute paths of all labelled images: of the fit, and those that were named."""
    return [*dict.fromkeys(osp.abspath(os.fspath(path)) for path in (*source.paths, *more))]
