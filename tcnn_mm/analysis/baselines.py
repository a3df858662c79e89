"""Classifiers of whole images on the same frozen features: what the votes are compared with.

Letters: N training images, M test images, D channels, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tcnn_mm.analysis.image_features import WHOLE, WINDOWS, squashed_and_window_features
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.models.heads.adaptation_head import class_log_loss
from tcnn_mm.registry import DATASETS, MODELS

HEAD_STEPS = 1500


def fit_logistic(
    features: np.ndarray, labels: np.ndarray, strength: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one logistic regression per class on standardised features.

    Args:
        features: (N, D).
        labels: (N, K) in {1, 0, -1}; 0 is left out.
        strength: C of scikit-learn's regression. Defaults to 0.01.

    Returns:
        Weights (D, K) and bias (K,) for raw features: `features @ weights + bias` are the
        decision values; zeros for a class that has only positives or only negatives.
    """
    scaler = StandardScaler()
    standard = scaler.fit_transform(features.astype(np.float64))
    weights, bias = np.zeros((features.shape[1], labels.shape[1])), np.zeros(labels.shape[1])
    for k in range(labels.shape[1]):
        known = labels[:, k] != 0
        if len(np.unique(labels[known, k])) == 2:
            model = LogisticRegression(C=strength, max_iter=1000)
            model.fit(standard[known], labels[known, k])
            weights[:, k] = model.coef_[0] / scaler.scale_
            bias[k] = model.intercept_[0] - scaler.mean_ @ weights[:, k]
    return weights, bias


def logistic_regression(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Decision values (M, K) on `test` (M, D) of :func:`fit_logistic` on `train` (N, D)."""
    weights, bias = fit_logistic(train, labels)
    return test @ weights + bias


def adaptation_head(
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    head_cfg: Mapping[str, Any],
    seed: int,
    steps: int = HEAD_STEPS,
    batch: int = 128,
) -> np.ndarray:
    """Train FCa and FCb on features of whole images, with one sigmoid per class.

    SGD as for patches: lr 0.01, divided by 10 after 2/3 and 8/9 of the steps.

    Args:
        train, test: (N, D), (M, D).
        labels: (N, K) in {1, 0, -1}; 0 is left out of the loss.
        head_cfg: Of an `AdaptationHead`.
        seed: Of its weights, its dropout and the batches.

    Returns:
        (M, K) logits.
    """
    torch.manual_seed(seed)
    head = MODELS.build(dict(head_cfg, background=False))
    head.init_weights()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * steps // 3, 8 * steps // 9])
    x, y = torch.from_numpy(train).float(), torch.from_numpy(labels)
    for _ in range(steps):
        pick = torch.randperm(len(x))[:batch]
        optimizer.zero_grad()
        class_log_loss(head((x[pick],)), y[pick]).backward()
        optimizer.step()
        schedule.step()
    head.eval()
    with torch.no_grad():
        return head((torch.from_numpy(test).float(),)).numpy()


def compare_baselines(
    cfg: Config,
    windows: bool = True,
    seeds: int = 3,
    mode: str = 'voc07',
    subset: Sequence[str] | None = None,
    all_images: bool = False,
) -> dict[str, Any]:
    """Train and test the baselines on the data of a config.

    Args:
        cfg: The experiment.
        windows: Include the mean of all windows, which is what costs.
        seeds: Of the head.
        mode: 'voc07' or 'voc10'.
        subset: Classes of the mean. Defaults to `main_classes` of the config, else all.
        all_images: Ignore the id lists of the config.

    Returns:
        `rows` {name: [mean AP per seed]}, `classes`, `mode`, `images` (train, test).
    """
    sets = {}
    for split in ('train', 'test'):
        dataset = dict(cfg[f'{split}_dataloader'].dataset)
        if not dataset.get('test_mode'):
            dataset = image_config(dataset)  # of a bank of sampled patches
        if all_images:
            dataset['ids'] = None
        sets[split] = DATASETS.build(dataset)
    model = build_model(cfg)
    classes = sets['test'].metainfo['classes']
    wanted = list(subset or cfg.get('main_classes') or classes)
    columns = [classes.index(name) for name in wanted]
    train, test = (
        squashed_and_window_features(model, sets[split], windows) for split in ('train', 'test')
    )
    truth = test['labels']

    def mean_ap(scores: np.ndarray) -> float:
        return float(np.mean([voc_ap(scores[:, k], truth[:, k], mode) for k in columns]))

    rows: dict[str, list[float]] = {}
    for name in [name for name in (WHOLE, WINDOWS) if name in train and name in test]:
        known = train[name], train['labels'], test[name]
        rows[f'{name}, logistic regression'] = [mean_ap(logistic_regression(*known))]
        rows[f'{name}, same head'] = [
            mean_ap(adaptation_head(*known, cfg.model.head, seed)) for seed in range(seeds)
        ]
    return dict(rows=rows, classes=wanted, mode=mode, images=(len(train['labels']), len(truth)))
