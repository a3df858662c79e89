"""What several heads say of unlabelled images: probabilities, the class and patch in doubt.

Letters: T heads, N images, K classes, P patches of an image.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.evaluation.calibration import Calibration, probabilities
from tcnn_mm.inference.predict_dataset import predict_batch
from tcnn_mm.labelling.suggest_features import FeatureFolder, PoolImage
from tcnn_mm.labelling.suggest_source import Head, Source, trained_layers, use_head
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.bank_batch import BankWindows

# Images whose features are in memory together.
BATCH = 8
# From this probability on a class is proposed as a label.
LIKELY = 0.5
Box = tuple[float, float, float, float]


class Proposal(NamedTuple):
    """A class that is likely there: its number, its probability, and its best patch."""

    label: int
    probability: float
    patch: Box


class Judgement(NamedTuple):
    """What the heads say of one image.

    Attributes:
        probabilities (ndarray): (T, K).
        bits (ndarray): (K,) :func:`uncertainty` of each class.
        doubt (int): The class of most uncertainty.
        patch (Box): The patch that is uncertain for it, xyxy pixels.
        vote (float): Mean vote of the heads for it there.
        proposals (list[Proposal]): Classes that are likely there, the likeliest first.
        size_hw (tuple[int, int]): Of the image.
    """

    probabilities: np.ndarray
    bits: np.ndarray
    doubt: int
    patch: Box
    vote: float
    proposals: list[Proposal]
    size_hw: tuple[int, int]


def binary_entropy(probability: np.ndarray) -> np.ndarray:
    """Bits of a yes or no of this probability: 1 at 0.5, 0 at 0 and 1; any shape, nan stays."""
    p = np.asarray(probability, np.float64)
    with np.errstate(divide='ignore', invalid='ignore'):
        bits = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return np.where((p <= 0) | (p >= 1), 0.0, bits)


def uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """Bits that the heads together lack on each class: entropy of their mean probability.

    Args:
        probabilities: (T, N, K); nan in the column of a class of which nothing is known.

    Returns:
        (N, K); 0 for such a class. It counts both that all heads are near 0.5 and that they differ.
    """
    return np.nan_to_num(binary_entropy(np.asarray(probabilities, np.float64).mean(0)))


def uncertain_patch(votes: np.ndarray) -> int:
    """The patch that the heads are least sure of, for one class.

    Args:
        votes: (T, P) of this class, in [0, 1].

    Returns:
        Number of the patch whose mean vote is nearest to 0.5; of equal ones that of most
        disagreement, then the first.
    """
    p = np.asarray(votes, np.float64)
    away = np.abs(p.mean(0) - 0.5)
    ties = np.flatnonzero(away <= away.min() + 1e-9)
    return int(ties[np.argmax(p[:, ties].std(0))])


def image_probabilities(
    scores: np.ndarray,
    classes: Sequence[str],
    calibration: Mapping[str, Calibration | None] | None,
    power: float,
) -> np.ndarray:
    """Probabilities of image scores (…, K): calibrated, else the votes' power mean.

    Args:
        scores: In [0, 1], the mean of the `power`-th powers of votes.
        classes: K names.
        calibration: Class → its curve, or None.
        power: Of the aggregator; 1 for others.
    """
    found = np.clip(scores, 0, 1) ** (1 / power)
    for k, name in enumerate(classes):
        curve = (calibration or {}).get(name)
        if curve is not None:
            found[..., k] = probabilities(scores[..., k], curve)
    return found


def judge(source: Source, folder: FeatureFolder, images: Sequence[PoolImage]) -> list[Judgement]:
    """Let all heads vote on the patches of images whose features are computed.

    Args:
        source: With heads; its model gets their layers in turn, at the end its own again.
        folder: Has the windows of all images.
        images: N.
    """
    bar = progress_bar(len(images), 'image')
    kept = trained_layers(source.model)
    found: list[Judgement] = []
    try:
        for at in range(0, len(images), BATCH):
            batch = images[at : at + BATCH]
            found += _judge_batch(source, folder, batch)
            bar.update(len(batch))
    finally:
        use_head(source.model, kept)
        bar.close()
    return found


def _judge_batch(
    source: Source, folder: FeatureFolder, images: Sequence[PoolImage]
) -> Iterator[Judgement]:
    """:func:`judge` of a few images."""
    described = [folder.read(image, windows=True) for image in images]
    items = []
    for image, mine in zip(images, described, strict=True):
        assert mine.features is not None and mine.boxes is not None
        sample = DataSample(metainfo=dict(img_id=printable(image.path), ori_shape=mine.size_hw))
        windows = BankWindows(torch.from_numpy(mine.features), mine.boxes)
        items.append(dict(inputs=windows, data_samples=sample))
    by_head = [_votes(source.model, head, items) for head in source.heads]
    power = float(getattr(source.model.aggregator, 'k', 1))
    for n, mine in enumerate(described):
        scores = np.stack([found[n][0] for found in by_head])
        votes = np.stack([found[n][1] for found in by_head])
        chances = image_probabilities(scores, source.classes, source.calibration, power)
        yield judgement(chances, votes, np.asarray(mine.boxes), mine.size_hw)


def _votes(
    model: PatchModel, head: Head, items: Sequence[dict[str, Any]]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores (K,) and votes (P, K) of each image by one head."""
    use_head(model, head)
    return [
        (sample.pred_score.double().numpy(), sample.patch_scores.float().numpy())
        for sample in predict_batch(model, items, return_patches=True)
    ]


def judgement(
    chances: np.ndarray, votes: np.ndarray, boxes: np.ndarray, size_hw: tuple[int, int]
) -> Judgement:
    """Judge one image.

    Args:
        chances: (T, K) probabilities of the image.
        votes: (T, P, K) of its patches.
        boxes: (P, 4) xyxy pixels.
        size_hw: Of the image.
    """
    bits = uncertainty(chances[:, None])[0]
    doubt = int(np.argmax(bits))
    patch = uncertain_patch(votes[:, :, doubt])
    mean, best = chances.mean(0), votes.mean(0).argmax(0)
    likely = sorted(np.flatnonzero(mean >= LIKELY).tolist(), key=lambda k: (-mean[k], k))
    return Judgement(
        chances,
        bits,
        doubt,
        _box(boxes[patch]),
        float(votes[:, patch, doubt].mean()),
        [Proposal(k, float(mean[k]), _box(boxes[best[k]])) for k in likely],
        size_hw,
    )


def _box(corners: np.ndarray) -> Box:
    x1, y1, x2, y2 = (float(value) for value in corners)
    return x1, y1, x2, y2
