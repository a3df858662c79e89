"""Images whose labels, boxes, scores and votes are known: what an audit should find is planted."""

from types import SimpleNamespace

import numpy as np

from tcnn_mm.labelling.audit import audit
from tcnn_mm.labelling.label_errors import LabelledImage, fit_margins
from tcnn_mm.labelling.patch_evidence import patch_evidence

# Four by four patches of 50 pixels, side by side.
GRID = np.array(
    [[50 * x, 50 * y, 50 * x + 50, 50 * y + 50] for y in range(4) for x in range(4)], float
)
SURE, UNSURE = 0.95, 0.02


def make_world(number=60, classes=3, seed=0, boxes=True):
    """Each image has one or two classes, each in a patch of its own; scores and votes are right.

    Returns:
        truth (N,) lists of (class, patch); given: the same, to be changed; random: a generator.
    """
    random = np.random.default_rng(seed)
    truth = []
    for n in range(number):
        mine = random.choice(classes, 1 + n % 2, replace=False)
        cells = random.choice(len(GRID), len(mine), replace=False)
        truth.append([(int(k), int(cell)) for k, cell in zip(mine, cells, strict=True)])
    given = [list(each) for each in truth]
    return SimpleNamespace(
        truth=truth, given=given, classes=classes, boxes=boxes, random=random, noise=0.01
    )


def images_of(world):
    """Images, scores (1, N, K), labels (N, K), folds (1, N) of a world."""
    random = np.random.default_rng(1)
    number, classes = len(world.truth), world.classes
    labels, scores = np.full((number, classes), -1), np.empty((number, classes))
    images = []
    for n, (truth, given) in enumerate(zip(world.truth, world.given, strict=True)):
        votes = UNSURE + world.noise * random.random((len(GRID), classes))
        for k, cell in truth:
            votes[cell, k] = SURE - world.noise * random.random()
        labels[n, [k for k, _ in given]] = 1
        scores[n] = votes.max(0)
        boxes = GRID[[cell for _, cell in given]] if world.boxes else np.zeros((0, 4))
        of_box = np.array([k for k, _ in given] if world.boxes else [], int)
        images.append(
            LabelledImage(
                f'image_{n}',
                boxes,
                of_box,
                np.zeros(len(boxes), bool),
                patch_evidence(GRID, votes, boxes, of_box),
            )
        )
    return images, scores[None], labels, (np.arange(number) % 5)[None]


def checks_of(world):
    """The audit of a world."""
    images, scores, labels, folds = images_of(world)
    return audit(images, labels, fit_margins(images, scores, labels, folds))
