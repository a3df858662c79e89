"""Which images to label next, tried on labels that are known: AP over labelled images, by method.

From a few images of a pool, drawn by a seed, each method asks for labels until twice as many are
labelled, and so on; after each step a head is trained on what is labelled and tested on other
images. Features are in the banks of a fit, so a step costs a small head.

Letters: N images of the pool, M test images, R rows (windows) of a bank, C channels of the network,
D of them after reduction, K classes, T draws of dropout.
"""

import json
import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from tcnn_mm.analysis.image_features import bank_whole_features
from tcnn_mm.analysis.suggest_figures import RANDOM, Record
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.training import read_config
from tcnn_mm.evaluation.average_precision import class_aps
from tcnn_mm.labelling.suggest_choice import choose, typical_share
from tcnn_mm.labelling.suggest_source import DRAWS, dropout_masks
from tcnn_mm.labelling.suggest_votes import image_probabilities, uncertainty
from tcnn_mm.models.heads.adaptation_head import AdaptationHead

METRIC = 'voc10'
SUGGEST = 'suggest'
# Share of typical images by method; those of `suggest` are the command's.
SHARES = {'typical': 1.0, 'half': 0.5, 'uncertain': 0.0}
METHODS = (RANDOM, SUGGEST, *SHARES)
# The head of every method, smaller than that of a fit: a step of the simulation takes seconds.
HIDDEN, STEPS, BATCH, POWER = 128, 200, 128, 5
# Principal components of the windows' features that it gets, and windows they are computed of.
COMPONENTS, SAMPLE = 256, 20000
# Rows whose activations are in memory together.
BLOCK = 8192


class Images(NamedTuple):
    """Images of a bank of all windows.

    Attributes:
        features (Tensor): (R, D) float32, of :class:`Reduction`.
        patch_labels (ndarray): (R,) class of a patch to train on, K for background; -1: not one.
        image_of (ndarray): (R,) number of the image, ascending.
        whole (ndarray): (N, D) features of whole images.
        labels (ndarray): (N, K) of {1, 0, -1}.
    """

    features: torch.Tensor
    patch_labels: np.ndarray
    image_of: np.ndarray
    whole: np.ndarray
    labels: np.ndarray


class Reduction(NamedTuple):
    """Principal components of features: `(x - mean) @ basis` has a root mean square of 1.

    Attributes:
        mean (ndarray): (C,) of the features.
        basis (ndarray): (C, D).
        share (float): Of the variance that is kept.
    """

    mean: np.ndarray
    basis: np.ndarray
    share: float


def reduction(features: np.ndarray, components: int) -> Reduction:
    """The first principal components of (R, C); all of them where C is less."""
    rows = features.astype(np.float64)
    mean = rows.mean(0)
    values, vectors = np.linalg.eigh(np.cov(rows - mean, rowvar=False, bias=True))
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    total = float(np.square(rows - mean).sum(1).mean())
    return Reduction(
        mean.astype(np.float32),
        (vectors / np.sqrt(values.mean())).astype(np.float32),
        float(values.sum() / total),
    )


def read_reduction(bank: FeatureBank) -> Reduction:
    """Principal components of some windows of a bank."""
    rows = np.random.default_rng(0).permutation(bank.features.shape[1])[:SAMPLE]
    return reduction(bank.features[0, np.sort(rows)], COMPONENTS)


def read_images(bank: FeatureBank, reduced: Reduction) -> Images:
    """All images of a bank."""
    whole = bank_whole_features(bank, len(bank.manifest['classes']))
    rows = np.concatenate(
        [np.arange(first, first + size) for first, size in zip(bank.first, bank.sizes, strict=True)]
    )
    features = np.concatenate(
        [
            (bank.features[0, rows[at : at + BLOCK]].astype(np.float32) - reduced.mean)
            @ reduced.basis
            for at in range(0, len(rows), BLOCK)
        ]
    )
    return Images(
        torch.from_numpy(features),
        bank.labels[rows],
        np.repeat(np.arange(len(bank.sizes)), bank.sizes),
        whole['features'],
        whole['labels'],
    )


def read_banks(config: str) -> tuple[Images, Images, list[str]]:
    """Pool, test images and classes of a fit with folds and test images.

    Raises:
        UserError: It has no such banks.
    """
    init_default_scope('mmpretrain')
    cfg = read_config(config)
    train, test = (cfg.get(f'{split}_dataloader') for split in ('train', 'test'))
    if not cfg.get('cross_validation') or not test:
        raise UserError(
            f'{config}: needs a fit with folds and with test images: tcnn fit DATA --folds 5 '
            '--out RUN, and give RUN/config.py'
        )
    pool, other = (FeatureBank(each.dataset.bank, test_mode=True) for each in (train, test))
    reduced = read_reduction(pool)
    print_log(
        f'{len(reduced.basis)} features, {reduced.basis.shape[1]} components with '
        f'{100 * reduced.share:.0f} % of their variance',
        'current',
    )
    return read_images(pool, reduced), read_images(other, reduced), list(cfg.classes)


def train_head(pool: Images, labelled: np.ndarray, seed: int, steps: int = STEPS) -> AdaptationHead:
    """Train FCa and FCb on the labelled patches of some images.

    SGD as of a fit: learning rate 0.01, divided by 10 after 2/3 and 8/9 of the steps.

    Args:
        pool: All images.
        labelled: Numbers of those that are labelled.
        seed: Of weights, dropout and batches.
        steps: Of 128 patches.
    """
    mine = np.isin(pool.image_of, labelled) & (pool.patch_labels >= 0)
    rows = torch.from_numpy(np.flatnonzero(mine))
    labels = torch.from_numpy(pool.patch_labels)
    torch.manual_seed(seed)
    head = AdaptationHead(pool.labels.shape[1], pool.features.shape[1], HIDDEN)
    head.init_weights()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * steps // 3, 8 * steps // 9])
    for _ in range(steps):
        pick = rows[torch.randint(len(rows), (BATCH,))]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(pool.features[pick]), labels[pick]).backward()
        optimizer.step()
        schedule.step()
    return head.eval()


@torch.no_grad()
def vote(head: AdaptationHead, images: Images, masks: torch.Tensor | None = None) -> np.ndarray:
    """Scores of images by the power mean of their windows: (T, N, K); T is 1 without masks.

    Args:
        head: Trained.
        images: N.
        masks: (T, H) of :func:`dropout_masks`, on the outputs of FCa.
    """
    masks = torch.ones(1, head.FCa.out_features) if masks is None else masks
    number, classes = len(images.labels), head.num_classes
    found = torch.zeros(len(masks), number, classes, dtype=torch.float64)
    image_of = torch.from_numpy(images.image_of)
    for at in range(0, len(image_of), BLOCK):
        part = slice(at, at + BLOCK)
        hidden = torch.relu(head.FCa(images.features[part]))
        for t, mask in enumerate(masks):
            votes = torch.nn.functional.linear(hidden, head.FCb.weight * mask, head.FCb.bias)
            votes = votes.softmax(1)[:, :classes]
            powers = votes.square().square() * votes  # the fifth, as the votes' mean of a fit
            found[t].index_add_(0, image_of[part], powers.double())
    windows = torch.bincount(image_of, minlength=number)
    return (found / windows[None, :, None]).numpy()


def next_images(
    method: str, pool: Images, labelled: np.ndarray, count: int, head: AdaptationHead, seed: int
) -> np.ndarray:
    """Numbers of the images that a method asks for.

    Args:
        method: One of :data:`METHODS`.
        pool: All images.
        labelled: Numbers of those that are labelled.
        count: How many more.
        head: Trained on `labelled`.
        seed: Of the random choice and of the draws of dropout.
    """
    rest = np.setdiff1d(np.arange(len(pool.labels)), labelled)
    if method == RANDOM:
        return np.random.default_rng((seed, len(labelled))).permutation(rest)[:count]
    share = SHARES.get(method, typical_share(len(labelled), pool.labels.shape[1]))
    bits = None
    if share < 1:
        masks = dropout_masks(HIDDEN, head.drop.p, DRAWS, seed)
        scores = vote(head, pool, masks)[:, rest]
        bits = uncertainty(image_probabilities(scores, [], None, POWER)).sum(1)
    picks = choose(pool.whole[rest], pool.whole[labelled], bits, count, share)
    return rest[[pick.image for pick in picks]]


def measure(
    pool: Images, test: Images, labelled: np.ndarray, seed: int
) -> tuple[AdaptationHead, np.ndarray]:
    """A head that is trained on the labelled images, and its AP per class on the test images."""
    head = train_head(pool, labelled, seed)
    return head, class_aps(vote(head, test)[0], test.labels, METRIC)


def simulate(
    methods: Sequence[str], pool: Images, test: Images, seed: int, sizes: Mapping[str, list[int]]
) -> Iterator[Record]:
    """Run methods from the same first images.

    Args:
        methods: Of :data:`METHODS`.
        pool: What is chosen from.
        test: Other images.
        seed: Of the first images and of the heads.
        sizes: Numbers of labelled images by method, ascending, the same first one.

    Yields:
        AP per class (nan without positives) of each method at each number of labels.
    """
    first = np.random.default_rng(seed).permutation(len(pool.labels))
    started: dict[int, tuple[AdaptationHead, np.ndarray]] = {}
    for method in methods:
        labelled = first[: sizes[method][0]]
        if len(labelled) not in started:
            started[len(labelled)] = measure(pool, test, labelled, seed)
        head, aps = started[len(labelled)]
        for size in sizes[method]:
            if size > len(labelled):
                more = next_images(method, pool, labelled, size - len(labelled), head, seed)
                labelled = np.concatenate([labelled, more])
                head, aps = measure(pool, test, labelled, seed)
            print_log(
                f'{method}, seed {seed}, {size} labelled: mean AP {100 * np.nanmean(aps):.1f}',
                'current',
            )
            yield dict(method=method, seed=seed, labelled=size, aps=[*map(float, aps)])


def run_simulation(
    config: str, out: str, methods: Sequence[str], seeds: Sequence[int], sizes: Sequence[int]
) -> tuple[list[Record], list[str]]:
    """All runs; those in OUT/simulation.json are not made again. Random goes on to twice the last.

    Returns:
        Records of these methods and seeds, and the names of the classes.

    Raises:
        UserError: What :func:`read_banks` refuses; more images than the pool has.
    """
    pool, test, classes = read_banks(config)
    if sizes[-1] > len(pool.labels):
        raise UserError(f'--sizes {sizes[-1]}: the pool has {len(pool.labels)} images; give fewer')
    path = osp.join(out, 'simulation.json')
    done: list[Record] = []
    if osp.isfile(path):
        with open(path, encoding='utf-8') as file:
            done = json.load(file)
    wanted = {method: [*sizes] for method in methods}
    if RANDOM in wanted and 2 * sizes[-1] <= len(pool.labels):
        wanted[RANDOM].append(2 * sizes[-1])  # to say how many labels it needs for the AP of others
    for seed in seeds:
        known: dict[str, set[int]] = {}
        for record in done:
            if record['seed'] == seed:
                known.setdefault(record['method'], set()).add(record['labelled'])
        missing = [name for name in methods if not known.get(name, set()) >= {*wanted[name]}]
        done = [r for r in done if r['seed'] != seed or r['method'] not in missing]
        done += simulate(missing, pool, test, seed, wanted)
        if missing:
            with atomic_write(path) as file:
                json.dump(done, file)
    return [r for r in done if r['method'] in methods and r['seed'] in seeds], classes
