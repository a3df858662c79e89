"""Draws of images that are cross-validated: their lists and configs, and which are done."""

import json
import os
import os.path as osp
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.stratified_folds import stratified_folds
from tcnn_mm.estimator.begun_fit import write_lists
from tcnn_mm.estimator.fit_config import (
    BATCH,
    IMAGES_PER_BATCH,
    call,
    checkpoint_interval,
    epochs_for,
    milestones,
)
from tcnn_mm.estimator.fit_data import fold_lists
from tcnn_mm.estimator.fold_choice import Folds

Record = dict[str, Any]


def draw_images(total: int, images: int | None, seed: int) -> np.ndarray:
    """Numbers of the images of a draw, ascending; None: all."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:images])


def splits_of(folder: str) -> str:
    """Folder of the lists of a draw."""
    return osp.join(folder, 'splits')


def list_of(folder: str) -> str:
    """The list of the images of a draw."""
    return osp.join(splits_of(folder), 'train.txt')


def write_draw_config(
    base: str,
    folder: str,
    ids: Sequence[str],
    labels: Sequence[Iterable[int]],
    folds: int,
    seed: int,
    bank: FeatureBank,
    weak: bool,
    dataset: Mapping[str, Any],
    steps: int | None = None,
) -> str:
    """Write the lists and the config of one draw; returns the path of the config.

    Args:
        base: Config of the fit that has all images.
        folder: Of the draw.
        ids: Of its images.
        labels: Their classes.
        folds: Of the cross-validation.
        seed: Of folds and heads.
        bank: Of all images: its labelled rows are what a head trains on.
        weak: Heads train on whole images.
        dataset: What differs in the data set of the training.
        steps: Of each head. Defaults to those of a fit.
    """
    held_out = stratified_folds(labels, folds, seed)
    os.makedirs(splits_of(folder), exist_ok=True)
    lists = fold_lists(ids, Folds(folds, held_out[None], '', ''))
    write_lists(splits_of(folder), dict(lists, train=ids))
    rows = len(ids) if weak else len(FeatureBank(bank.folder, ids=list_of(folder), windows=True))
    batch = IMAGES_PER_BATCH if weak else BATCH
    epochs = epochs_for(rows, weak) if steps is None else max(1, round(steps * batch / rows))
    interval = checkpoint_interval(epochs, rows, weak)
    own = dict(lists=osp.join(splits_of(folder), 'folds'), work_dir=osp.join(folder, 'folds'))
    config = osp.join(folder, 'config.py')
    with atomic_write(config) as file:
        file.write(
            f'_base_ = {base!r}\n'
            f'train_dataloader = {call(dict(dataset=dataset))}\n'
            f'cross_validation = dict(folds={folds}, repeats=1, pointing=False, **{own!r})\n'
            f'train_cfg = dict(max_epochs={epochs})\n'
            f'param_scheduler = dict(milestones={milestones(epochs)})\n'
            f'default_hooks = dict(checkpoint=dict(interval={interval}))\n'
            f'randomness = dict(seed={seed})\n'
            f'work_dir = {osp.join(folder, "run")!r}\n'
        )
    return config


def read_done(path: str) -> list[Record]:
    """The draws that are done."""
    if not osp.isfile(path):
        return []
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def finish_draw(path: str, records: Sequence[Record], folder: str) -> None:
    """Write the records of the draws that are done, and remove the folder of the last one.

    The heads of many draws are gigabytes.
    """
    with atomic_write(path) as file:
        json.dump(records, file, indent=1)
    shutil.rmtree(folder)
