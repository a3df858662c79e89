"""Dry run: one batch through the real model, and an estimate of time, memory and disk."""

import functools
import os.path as osp
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.runner import IterBasedTrainLoop, Runner

from tcnn_mm.benchmarks.ready_run import ready_runner
from tcnn_mm.benchmarks.timers import PeakMemory, timed
from tcnn_mm.datasets.bank_reading import FILES
from tcnn_mm.datasets.dataset_wrappers import inner_configs
from tcnn_mm.datasets.feature_bank import is_feature_bank, named_banks
from tcnn_mm.datasets.item_sizes import with_sizes
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.engine.bank_recipe import bank_recipe, holds_flips
from tcnn_mm.engine.build_bank import build_bank, plan_rows, refuse_other_folder
from tcnn_mm.engine.epoch_seed import tell_epoch
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.bank_batch import BankPatches, BankWindows
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.registry import DATASETS

# Images that are timed to estimate the time of a bank.
PROBES = 4


def hours(seconds: float) -> str:
    """Return a duration in s, min or h."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'


def label_lines(dataset: BaseDataset, infos: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the number of images per class as text; of more than 40 classes the range alone."""
    counts = Counter(k for info in infos for k in np.atleast_1d(info['gt_label']).tolist())
    classes = dataset.metainfo.get('classes') or sorted(counts)
    lines = [f'{len(infos)} training images, {len(classes)} classes; images per class:']
    if len(classes) > 40:
        numbers = sorted(counts[k] for k in range(len(classes)))
        middle = numbers[len(numbers) // 2]
        return [*lines, f'  {numbers[0]} to {numbers[-1]}, median {middle}']
    wide = max(len(str(name)) for name in (*classes, '(no class)'))
    lines += [f'  {name!s:{wide}}  {counts[k]:6d}' for k, name in enumerate(classes)]
    none = sum(not np.atleast_1d(info['gt_label']).size for info in infos)
    return [*lines, f'  {"(no class)":{wide}}  {none:6d}'] if none else lines


def bank_exists(bank: Mapping[str, Any]) -> bool:
    """Return whether a `FeatureBank` config's folder is complete."""
    return osp.isfile(osp.join(bank['bank'], FILES['manifest']))


class BankEstimate(NamedTuple):
    """Cost of a bank that does not exist yet.

    Attributes:
        seconds (float): To make it.
        size (float): Bytes on disk.
        features (Tensor): Of the patches of one image.
        labels (ndarray): Of the rows to train on.
    """

    seconds: float
    size: float
    features: torch.Tensor
    labels: np.ndarray


@torch.no_grad()
def bank_estimate(model: PatchModel, bank: Mapping[str, Any]) -> BankEstimate:
    """Estimate the cost of a bank from a few images, spread over the data set.

    Args:
        model: With its weights, in eval mode, on its device.
        bank: Config of the `FeatureBank`.

    Raises:
        UserError: None of these images has a patch.
    """
    source = DATASETS.build(bank['source'])
    bank_recipe(model, source, bank, dict(backbone=None))  # refuses what no bank holds
    _, rows, boxes = plan_rows(model, source, bank)
    turns = 1 + holds_flips(bank)
    probes = np.unique(np.linspace(0, len(source) - 1, PROBES).astype(int))

    def describe(i: int) -> torch.Tensor | None:
        image = source[i]['inputs'].to(model.device)
        return model.encoder.describe_patches(image, boxes[i]) if len(boxes[i]) else None

    describe(int(probes[0]))  # the first call of a kernel is slower
    seconds, features = [], None
    for i in probes:
        took, found = timed(functools.partial(describe, int(i)), model.device)
        features = found if found is not None else features
        seconds.append(took)
    if features is None:
        raise UserError('none of the images that were tried has a patch to train on')
    size = features[0].numel() * 2 * int(rows['sizes'].sum()) * turns
    total = float(np.mean(seconds)) * len(source) * turns
    labels = rows['labels']
    return BankEstimate(total, size, features, labels[labels >= 0])


def first_batch(loader_cfg: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return one batch of a data loader, drawn in this process, and the steps of an epoch."""
    options = dict(loader_cfg, num_workers=0, persistent_workers=False)
    options.pop('prefetch_factor', None)
    loader = Runner.build_dataloader(options, seed=0)
    tell_epoch(loader.dataset, 0, 0)
    return next(iter(loader)), len(loader)


def dry_run(cfg: Config) -> None:
    """Try one batch, and print label histogram, coverage, patch counts, memory and time.

    Missing banks are not made: their time is estimated from a few images, and the batch is drawn
    from the features of these images. All that a training would refuse before its first batch is
    refused, and nothing is written.

    Raises:
        UserError, OSError: What the training would raise.
    """
    for split in ('train', 'val', 'test'):
        for bank in named_banks(cfg, split):
            if bank_exists(bank):
                build_bank(cfg, bank)  # checks it
            else:
                refuse_other_folder(osp.abspath(bank.bank))
    with ready_runner(cfg, lambda bank: not bank_exists(bank)) as runner:
        _try_batch(cfg, runner)


def _try_batch(cfg: Config, runner: Runner) -> None:
    """Run one batch of a training that is set up; print what it says of the whole."""
    model: Any = unwrap_model(runner)
    device = next(model.parameters()).device
    training = cfg.train_dataloader.dataset
    images = DATASETS.build(image_config(training))
    infos = [images.get_data_info(i) for i in range(len(images))]
    print('\n'.join(label_lines(images, infos)))
    sampler: Any = getattr(model, 'sampler', None)
    if hasattr(sampler, 'labeler') and 'gt_bboxes' in infos[0]:
        report = measure_coverage(
            with_sizes(infos), images.metainfo['classes'], sampler.grid, sampler.labeler
        )
        print('\n'.join(report.table()))
    waits = bank_waits(cfg, model)
    with PeakMemory(device) as memory:
        batch, steps = training_batch(cfg, model, training, waits)
        model.train()
        if hasattr(model, 'set_epoch'):
            model.set_epoch(0, 0)
        model.train_step(batch, runner.optim_wrapper)  # kernels get chosen
        start = time.perf_counter()
        loss = model.train_step(batch, runner.optim_wrapper)['loss'].item()
        step = time.perf_counter() - start
    print(f'one batch: loss {loss:.3f}, {step:.2f} s, peak memory {memory.peak / 1e9:.2f} GB')
    for role, bank in waits.items():
        print(f'bank {role}: {hours(bank.seconds)}, {bank.size / 1e9:.2f} GB of disk')
    loop: Any = runner.train_loop
    by_iteration = isinstance(loop, IterBasedTrainLoop)
    total = (loop.max_iters if by_iteration else steps * loop.max_epochs) * step
    banks = sum(bank.seconds for bank in waits.values())
    length = f'{loop.max_iters}' if by_iteration else f'{loop.max_epochs} epochs of {steps}'
    print(
        f'training: {length} steps, {hours(total)}'
        + (f'; with the banks {hours(total + banks)}' if waits else '')
        + ' (one batch, on this machine as it is now)'
    )


def bank_waits(cfg: Config, model: PatchModel) -> dict[str, BankEstimate]:
    """Estimate the banks of a config that do not exist, by role."""
    waits: dict[str, BankEstimate] = {}
    training = model.training
    model.eval()
    for role in ('train', 'val', 'test'):
        for bank in named_banks(cfg, role):
            if not bank_exists(bank):
                name = role if role not in waits else f'{role} {osp.basename(bank.bank)}'
                waits[name] = bank_estimate(model, bank)
    model.train(training)
    return waits


def training_batch(
    cfg: Config, model: PatchModel, training: Any, waits: Mapping[str, BankEstimate]
) -> tuple[dict[str, Any], int]:
    """Return a batch of the config and the steps of an epoch; random rows of a missing bank."""
    if 'train' not in waits:
        return first_batch(cfg.train_dataloader)
    size = cfg.train_dataloader.batch_size
    first = next(each for each in inner_configs(training) if is_feature_bank(each))
    if first.get('test_mode'):
        return window_batch(model, DATASETS.build(first.source), size)
    bank = waits['train']
    number = torch.randint(len(bank.features), (size,))
    labels = torch.from_numpy(np.random.default_rng(0).choice(bank.labels, size))
    batch = dict(inputs=BankPatches([bank.features[number]], [labels]))
    rows = sum(len(each.labels) for role, each in waits.items() if role.split()[0] == 'train')
    return batch, -(-rows // size)


@torch.no_grad()
def window_batch(model: PatchModel, source: BaseDataset, size: int) -> tuple[dict[str, Any], int]:
    """Return all windows of a few images as a bank would, and the steps of an epoch."""
    model.eval()
    items = [source[i] for i in range(min(size, PROBES, len(source)))]
    features, windows = [], []
    for item in items:
        image = item['inputs'].to(model.device)
        patches = model.sampler(tuple(image.shape[-2:]), training=False)
        windows.append(patches.xyxy)
        features.append(model.encoder.describe_patches(image, patches.boxes))
    inputs, samples = BankWindows(features, windows), [item['data_samples'] for item in items]
    return dict(inputs=inputs, data_samples=samples), -(-len(source) // size)
