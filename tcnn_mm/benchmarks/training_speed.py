"""Speed of training online, from a bank, and of the head alone."""

import json
import os.path as osp
import statistics
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from tcnn_mm.benchmarks.inference_speed import NETWORKS, NUM_CLASSES, Networks
from tcnn_mm.benchmarks.timers import timed
from tcnn_mm.datasets.bank_reading import FILES
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.models.heads.adaptation_head import global_mean_loss
from tcnn_mm.models.patch_model import PatchModel

TRAIN_BATCH = 128


def random_bank(folder: str, width: int, rows: int = 20 * TRAIN_BATCH) -> DataLoader:
    """Write a feature bank of random numbers; return the real data set and loader on it."""
    random = np.random.default_rng(0)
    random.random((1, rows, width), np.float32).astype(np.float16).tofile(
        osp.join(folder, FILES['features'])
    )
    np.savez(
        osp.join(folder, FILES['rows']),
        boxes=np.zeros((rows, 4), np.float32),
        labels=random.integers(0, NUM_CLASSES + 1, rows),
        first=[0],
        sizes=[rows],
    )
    with open(osp.join(folder, FILES['manifest']), 'w', encoding='utf-8') as file:
        json.dump(dict(recipe={}, shape=[1, rows, width], classes=[], pictures=[{}]), file)
    return DataLoader(
        FeatureBank(folder, flips=False), TRAIN_BATCH, shuffle=True, collate_fn=pseudo_collate
    )


def training_rows(
    images: Sequence[torch.Tensor], device: torch.device, repeats: int, name: str
) -> list[dict[str, Any]]:
    """Patches per second of training: images online, an epoch of a bank, the head alone."""
    nets = Networks(name, device)
    head, random = nets.head.train(), np.random.default_rng(0)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    ready = torch.rand(TRAIN_BATCH, NETWORKS[name][2], device=device)
    labels = torch.from_numpy(random.integers(0, NUM_CLASSES + 1, TRAIN_BATCH)).to(device)

    def update(features: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad()
        global_mean_loss(head((features,)), labels).backward()
        optimizer.step()

    def online(model: PatchModel) -> int:
        each = -(-TRAIN_BATCH // len(images))
        grids = [model.sampler.grid(i.shape[-2:]) for i in images]
        boxes = [g[random.permutation(len(g))[:each]] for g in grids]
        parts = [p for *_, p in model.encoder.iter_features([i.to(device) for i in images], boxes)]
        update(torch.cat(parts)[:TRAIN_BATCH], labels)
        return TRAIN_BATCH

    def bank(loader: DataLoader) -> int:
        for batch in loader:
            (features,), (named,), *_ = batch['inputs']
            update(features.to(device).float(), named.to(device))
        return len(loader.dataset)  # type: ignore[arg-type]

    def alone() -> int:
        for _ in range(20):
            update(ready, labels)
        return 20 * TRAIN_BATCH

    with tempfile.TemporaryDirectory() as folder:
        loader = random_bank(folder, NETWORKS[name][2])
        crop, half = nets.model(), nets.model(dtype='bfloat16')
        steps: dict[str, Callable[[], int]] = {
            'online': lambda: online(crop),
            'online-bf16': lambda: online(half),
            'bank': lambda: bank(loader),
            'head': alone,
        }
        rates: dict[str, list[float]] = {mode: [] for mode in steps}
        for step in steps.values():
            step()
        for _ in range(repeats):
            for mode, step in steps.items():
                took, count = timed(step, device)
                rates[mode].append(count / took)
    rate = {mode: statistics.median(values) for mode, values in rates.items()}
    return [
        dict(
            mode=mode,
            network=name,
            device=str(device),
            patches_per_s=value,
            share_of_head=value / rate['head'],
            ratio_to_online=value / rate['online'],
        )
        for mode, value in rate.items()
    ]
