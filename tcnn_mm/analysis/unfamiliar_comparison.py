"""Which statistic tells images of classes that training never saw: ROC AUC on held-out classes.

A head is trained on the images whose labels are all among the known classes. Of the test bank,
such images are familiar, and those without any known class are not. Letters: N images, K known
classes, P patches of an image, D channels, M compared images, F reference images.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.covariance import LedoitWolf

from tcnn_mm.datasets.bank_images import image_features
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import calibrate_classes, class_probabilities
from tcnn_mm.evaluation.training_images import keep_training_images, with_reference
from tcnn_mm.evaluation.unfamiliar import nearest_distances, unfamiliar, unit_vectors
from tcnn_mm.models.aggregators import PowerMeanAggregator
from tcnn_mm.registry import MODELS

STEPS, BATCH, HIDDEN = 600, 128, 512
# Share of the training images that are the reference, as val of a fit is.
REFERENCE = 0.25
# Every so many patches of an image are compared with so many patches of the training images.
EVERY, PATCHES = 4, 400
UNFAMILIAR = 'unfamiliar'
NEAREST, FIFTH = 'nearest training image, cosine', 'mean of 5 nearest, cosine'
EUCLIDEAN, MAHALANOBIS = 'nearest, Euclidean, not normalised', 'Mahalanobis, nearest class'
SCORE, PROBABILITY = 'best class score', 'best class probability'
BACKGROUND, PATCH = 'mean background vote', 'patches, 90 % quantile of nearest'
# Sums of two ranks among the reference images.
PAIRS = (
    (NEAREST, SCORE),
    (NEAREST, PROBABILITY),
    (NEAREST, BACKGROUND),
    (MAHALANOBIS, SCORE),
)


class Comparison(NamedTuple):
    """One choice of known classes.

    Attributes:
        known (list[str]): The classes.
        trained (int): Images of training.
        rows (ndarray): (M,) of the test bank.
        truth (ndarray): (M,) bool, whether no label is known.
        values (dict): Statistic → (M,), larger means less familiar; :data:`UNFAMILIAR` is the
            value that a prediction tells.
        reference (int): F.
    """

    known: list[str]
    trained: int
    rows: np.ndarray
    truth: np.ndarray
    values: dict[str, np.ndarray]
    reference: int


def present(bank: FeatureBank) -> np.ndarray:
    """Classes of each image, difficult ones too: (N, K) bool."""
    found = np.zeros((len(bank.images), len(bank.metainfo['classes'])), bool)
    for row, image in enumerate(bank.images):
        found[row, bank.manifest['pictures'][int(image)]['gt_label']] = True
    return found


def divide(labels: np.ndarray, known: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of images with known classes alone, and of those with other classes alone.

    Args:
        labels: (N, K) bool.
        known: Indices of classes.
    """
    mine = np.zeros(labels.shape[1], bool)
    mine[list(known)] = True
    inside, outside = labels[:, mine].any(1), labels[:, ~mine].any(1)
    return np.flatnonzero(inside & ~outside), np.flatnonzero(outside & ~inside)


def patches(bank: FeatureBank, row: int) -> np.ndarray:
    """Features (P, D) float32 of all windows of an image."""
    first = bank.first[bank.images[row]]
    part = bank.features[0, first : first + bank.sizes[bank.images[row]]]
    return np.asarray(part, np.float32).reshape(len(part), -1)


def train_head(
    bank: FeatureBank, rows: np.ndarray, known: Sequence[int], seed: int
) -> torch.nn.Module:
    """Train FCa and FCb on the labelled patches of some images: known classes and background."""
    background = len(bank.metainfo['classes'])
    number = {k: at for at, k in enumerate([*known, background])}
    features, labels = [], []
    for row in rows:
        first, size = bank.first[bank.images[row]], bank.sizes[bank.images[row]]
        mine = bank.labels[first : first + size]
        used = np.flatnonzero(np.isin(mine, list(number)))
        features.append(patches(bank, row)[used])
        labels += [number[k] for k in mine[used].tolist()]
    x, y = torch.from_numpy(np.concatenate(features)), torch.tensor(labels)
    torch.manual_seed(seed)
    head = MODELS.build(
        dict(
            type='tcnn_mm.AdaptationHead',
            num_classes=len(known),
            in_channels=x.shape[1],
            hidden_channels=HIDDEN,
        )
    )
    head.init_weights()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * STEPS // 3, 8 * STEPS // 9])
    for _ in range(STEPS):
        pick = torch.randint(len(x), (BATCH,))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head((x[pick],)), y[pick]).backward()
        optimizer.step()
        schedule.step()
    return head.eval()


class Described(NamedTuple):
    """What is compared of images.

    Attributes:
        scores (ndarray): (M, K) image scores.
        background (ndarray): (M,) mean background vote.
        patches (ndarray): (M,) 90 % quantile of the distances of patches to the kept ones.
    """

    scores: np.ndarray
    background: np.ndarray
    patches: np.ndarray


@torch.no_grad()
def describe(
    head: torch.nn.Module, bank: FeatureBank, rows: np.ndarray, kept: np.ndarray
) -> Described:
    """Read the windows of each image once.

    Args:
        head: Of K classes.
        bank: Of all windows.
        rows: (M,) of images.
        kept: (PATCHES, D) patches of training images.
    """
    found = []
    for row in rows:
        mine = patches(bank, row)
        votes = head.scores((torch.from_numpy(mine),))  # type: ignore[operator]
        far = nearest_distances(mine[::EVERY], kept)
        background = 1 - float(votes.sum(1).mean())
        found.append((PowerMeanAggregator()(votes).numpy(), background, np.quantile(far, 0.9)))
    return Described(*(np.array(each, np.float64) for each in zip(*found, strict=True)))


def mahalanobis(features: np.ndarray, trained: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance (N,) to the nearest class mean; one shrunk covariance.

    Args:
        features: (N, D).
        trained: (M, D) of training images.
        labels: (M, K) bool of their classes; the first of several counts.
    """
    first = labels.argmax(1)
    means = {k: trained[first == k].mean(0) for k in np.unique(first)}
    centred = trained - np.stack([means[k] for k in first])
    inverse = LedoitWolf(assume_centered=True).fit(centred).precision_
    away = [features - mean for mean in means.values()]
    return np.min([((each @ inverse) * each).sum(1) for each in away], axis=0)


def rank(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Share of the reference (F,) below each value."""
    return np.searchsorted(np.sort(reference), values, side='left') / len(reference)


def compare(
    train: FeatureBank,
    test: FeatureBank,
    known: Sequence[str],
    seed: int = 0,
    share: float = REFERENCE,
) -> Comparison:
    """Train on the images of known classes and compute every statistic on the test bank.

    Args:
        train: All windows of the training images, and the labels of their sampled patches.
        test: All windows of the test images.
        known: Names of classes.
        seed: Of the reference images, the head and the kept patches.
        share: Of the training images that are the reference.

    Raises:
        UserError: An unknown class, or no images on one side.
    """
    classes = list(train.metainfo['classes'])
    unknown = [name for name in known if name not in classes]
    if unknown:
        raise UserError(f'no class {unknown[0]}; the bank has {", ".join(classes)}')
    at = [classes.index(name) for name in known]
    labels = present(train)
    rows, _ = divide(labels, at)
    same, other = divide(present(test), at)
    if not (len(rows) and len(same) and len(other)):
        raise UserError(
            f'{", ".join(known)}: {len(rows)} training images, {len(same)} test images of these '
            f'classes alone and {len(other)} of others alone; choose other classes'
        )
    random = np.random.default_rng(seed)
    reference, trained = np.split(random.permutation(rows), [int(share * len(rows))])
    head = train_head(train, trained, at, seed)
    compared = np.concatenate([same, other])
    some = [random.choice(patches(train, row), 2) for row in trained]
    kept = random.permutation(np.concatenate(some))[:PATCHES]
    new, old = describe(head, test, compared, kept), describe(head, train, reference, kept)
    wholes = {name: image_features(bank) for name, bank in dict(train=train, test=test).items()}
    assert wholes['train'] is not None and wholes['test'] is not None
    mine, whole = wholes['train'][trained], wholes['test'][compared]
    alone = keep_training_images(mine)
    if alone is None:
        raise UserError(f'{len(trained)} training images are too few')
    both = with_reference(alone, wholes['train'][reference], old.scores)
    found = np.concatenate([whole, wholes['train'][reference]])
    cosines = np.sort(1 - unit_vectors(found) @ unit_vectors(mine).T, 1)
    squares = (found**2).sum(1)[:, None] + (mine**2).sum(1) - 2 * found @ mine.T
    curves = calibrate_classes(old.scores, 2 * labels[reference][:, at].astype(int) - 1)
    scores = np.concatenate([new.scores, old.scores])
    sure = np.nan_to_num(class_probabilities(scores, curves)).max(1)
    values = {
        SCORE: -scores.max(1),
        PROBABILITY: -sure,
        BACKGROUND: np.concatenate([new.background, old.background]),
        NEAREST: cosines[:, 0],
        FIFTH: cosines[:, :5].mean(1),
        EUCLIDEAN: squares.min(1),
        MAHALANOBIS: mahalanobis(found, mine, labels[trained][:, at]),
        PATCH: np.concatenate([new.patches, old.patches]),
    }
    m = len(compared)
    for pair in PAIRS:
        ranks = [rank(values[name], values[name][m:]) for name in pair]
        values[f'ranks of: {pair[0]}; {pair[1]}'] = ranks[0] + ranks[1]
    value = {UNFAMILIAR: unfamiliar(whole, new.scores, both)}
    return Comparison(
        list(known),
        len(trained),
        compared,
        np.arange(m) >= len(same),
        {**value, **{name: each[:m] for name, each in values.items()}},
        len(reference),
    )
