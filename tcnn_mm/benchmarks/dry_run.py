"""Before hours are spent: one batch through the real model, and what the whole would take."""

import os.path as osp
import time
from collections import Counter

import numpy as np
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from tcnn_mm.analysis.prediction_cache import picture_config
from tcnn_mm.benchmarks.timers import PeakMemory, timed
from tcnn_mm.datasets.feature_bank import FILES, is_feature_bank
from tcnn_mm.engine.build_bank import plan_rows
from tcnn_mm.errors import UserError
from tcnn_mm.patches.bank_batch import BankPatches, BankWindows
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.registry import DATASETS, MODELS

# Pictures that stand for all of a bank's.
PROBES = 4


def hours(seconds):
    """Seconds as 's', 'min' or 'h', as they are best read."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'


def label_lines(dataset, infos):
    """Pictures of each class as lines of text; of more than 40 classes the range alone."""
    counts = Counter(k for info in infos for k in np.atleast_1d(info['gt_label']).tolist())
    classes = dataset.metainfo.get('classes') or sorted(counts)
    lines = [f'{len(infos)} training pictures, {len(classes)} classes; pictures of each:']
    if len(classes) > 40:
        numbers = sorted(counts[k] for k in range(len(classes)))
        middle = numbers[len(numbers) // 2]
        return [*lines, f'  {numbers[0]} to {numbers[-1]}, median {middle}']
    wide = max(len(str(name)) for name in (*classes, '(no class)'))
    lines += [f'  {name!s:{wide}}  {counts[k]:6d}' for k, name in enumerate(classes)]
    none = sum(not np.atleast_1d(info['gt_label']).size for info in infos)
    return [*lines, f'  {"(no class)":{wide}}  {none:6d}'] if none else lines


def bank_is_there(bank):
    """Whether a `FeatureBank` config's folder is complete."""
    return osp.isfile(osp.join(bank['bank'], FILES['manifest']))


def bank_estimate(model, bank):
    """What making a bank takes: a few pictures are timed, spread over the set.

    Args:
        model (PatchClassifier): With its weights, in eval mode, on its device.
        bank (dict): Config of the `FeatureBank`.

    Returns:
        tuple[float, float, Tensor, ndarray]: seconds, bytes, the features of the last picture
        probed, and the labels of all rows.
    """
    source = DATASETS.build(bank['source'])
    _, rows = plan_rows(model, source, bank)
    turns = 1 + bool(bank.get('flips', not bank.get('test_mode', False)))
    probes = np.unique(np.linspace(0, len(source) - 1, PROBES).astype(int))
    seconds, features = [], None
    for turn, i in enumerate([probes[0], *probes]):  # the first one twice: kernels get chosen
        boxes = rows['boxes'][rows['first'][i] :][: rows['sizes'][i]]

        def one(i=i, boxes=boxes):
            image = source[int(i)]['inputs'].to(model.device)
            with torch.no_grad():
                return model.encoder.describe_patches(image, boxes)

        took, found = timed(one, model.device)
        features = found if found is not None and len(found) else features
        if turn:
            seconds.append(took)
    if features is None:
        raise UserError('none of the pictures that were tried has a patch to train on')
    size = features[0].numel() * 2 * int(rows['sizes'].sum()) * turns
    return float(np.mean(seconds)) * len(source) * turns, size, features, rows['labels']


def first_batch(loader_cfg):
    """One batch of a data loader's config, in this process, and the steps of an epoch."""
    loader = dict(loader_cfg, num_workers=0, persistent_workers=False)
    loader.pop('prefetch_factor', None)
    loader = Runner.build_dataloader(loader, seed=0)
    dataset = loader.dataset
    if hasattr(dataset, 'set_epoch'):
        dataset.set_epoch(0, 0)
    return next(iter(loader)), len(loader)


def dry_run(cfg):
    """Try one batch, and print label histogram, coverage, patch counts, memory and time.

    Banks that are not there are not made: their time is estimated from a few pictures, and the
    batch is drawn from those pictures' features.

    Args:
        cfg (Config): The experiment.
    """
    model = MODELS.build(cfg.model)
    model.init_weights()
    if torch.cuda.is_available():
        model.cuda()
    device = next(model.parameters()).device
    training = cfg.train_dataloader.dataset
    pictures = DATASETS.build(picture_config(training))
    infos = [pictures.get_data_info(i) for i in range(len(pictures))]
    print('\n'.join(label_lines(pictures, infos)))
    sampler = getattr(model, 'sampler', None)
    if hasattr(sampler, 'labeler') and 'gt_bboxes' in infos[0]:
        report = measure_coverage(
            infos, pictures.metainfo['classes'], sampler.grid, sampler.labeler
        )
        print('\n'.join(report.table()))
    waits = bank_waits(cfg, model)
    with PeakMemory(device) as memory:
        batch, steps = training_batch(cfg, model, training, waits)
        model.train()
        if hasattr(model, 'set_epoch'):
            model.set_epoch(0, 0)
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        model.train_step(batch, optimizer)  # kernels get chosen
        start = time.perf_counter()
        loss = model.train_step(batch, optimizer)['loss'].item()
        step = time.perf_counter() - start
    epochs = cfg.train_cfg.max_epochs
    print(f'one batch: loss {loss:.3f}, {step:.2f} s, peak memory {memory.peak / 1e9:.2f} GB')
    for role, (seconds, size, *_) in waits.items():
        print(f'bank {role}: {hours(seconds)}, {size / 1e9:.2f} GB of disk')
    total = steps * epochs * step
    banks = sum(seconds for seconds, *_ in waits.values())
    print(
        f'training: {epochs} epochs of {steps} steps, {hours(total)}'
        + (f'; with the banks {hours(total + banks)}' if waits else '')
        + ' (one batch, on this machine as it is now)'
    )


def bank_waits(cfg, model):
    """role → :func:`bank_estimate` of each bank that is not there."""
    waits, model_mode = {}, model.training
    model.eval()
    for role in ('train', 'val', 'test'):
        loader = cfg.get(f'{role}_dataloader')
        bank = loader.dataset if loader else {}
        if is_feature_bank(bank) and not bank_is_there(bank):
            waits[role] = bank_estimate(model, bank)
    model.train(model_mode)
    return waits


def training_batch(cfg, model, training, waits):
    """A batch of the config, and the steps of an epoch; of a missing bank a stand-in."""
    if 'train' not in waits:
        return first_batch(cfg.train_dataloader)
    source, size = DATASETS.build(training.source), cfg.train_dataloader.batch_size
    if training.get('test_mode'):  # bags of windows
        model.eval()
        items = [source[i] for i in range(min(size, PROBES, len(source)))]
        bags, windows = [], []
        for item in items:
            boxes = model.sampler(tuple(item['inputs'].shape[-2:]), training=False).xyxy
            windows.append(boxes)
            bags.append(model.encoder.describe_patches(item['inputs'].to(model.device), boxes))
        inputs = BankWindows(bags, windows)
        return dict(inputs=inputs, data_samples=[i['data_samples'] for i in items]), -(
            -len(source) // size
        )
    _, _, features, known = waits['train']
    number = torch.randint(len(features), (size,))
    labels = torch.from_numpy(np.random.default_rng(0).choice(known, size))
    batch = dict(inputs=BankPatches([features[number]], [labels]))
    return batch, -(-len(known) // size)
