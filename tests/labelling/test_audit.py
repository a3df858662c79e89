"""What an audit says of planted errors: closed forms, order, what it does not depend on."""

import dataclasses

import numpy as np
import pytest

from tcnn_mm.labelling.audit import KINDS, audit
from tcnn_mm.labelling.label_errors import ERROR_RATE, fit_margins, probability
from tests.labelling.worlds import GRID, checks_of, images_of, make_world

BOXES = pytest.mark.parametrize('boxes', [True, False])


@BOXES
@pytest.mark.parametrize('seed', range(3))
def test_nothing_is_found_where_all_scores_agree(boxes, seed):
    """Right labels with right scores: no check at all."""
    assert checks_of(make_world(seed=seed, boxes=boxes)) == []


@BOXES
def test_a_flipped_label_is_first(boxes):
    """Its class, the class that is there, its box and the patch are named."""
    world = make_world(boxes=boxes)
    k, cell = world.truth[4][0]
    other = next(c for c in range(3) if c != k)
    world.given[4][0] = (other, cell)
    first, *rest = checks_of(world)
    assert (first.kind, first.image, first.label, first.instead) == ('wrong label', 4, other, k)
    assert first.box == (0 if boxes else None) and first.patch == tuple(GRID[cell])
    assert first.vote > 0.9 and first.own < 0.2 and first.score > 0.5
    assert all(check.image != 4 for check in rest)


@BOXES
def test_a_removed_label_is_first(boxes):
    """A class without label or box: the patch that shows it."""
    world = make_world(boxes=boxes)
    k, cell = world.given[5].pop()
    first = checks_of(world)[0]
    assert (first.kind, first.image, first.label, first.instead) == ('missing label', 5, None, k)
    assert first.box is None and first.patch == tuple(GRID[cell]) and first.own > 0.8


def test_a_moved_box_is_found_with_its_place():
    """Its own patches do not vote for it; the place is where the object is."""
    world = make_world()
    k, cell = world.truth[6][0]
    empty = next(c for c in range(16) if c not in {c for _, c in world.truth[6]})
    world.given[6][0] = (k, empty)
    first = checks_of(world)[0]
    assert (first.kind, first.image, first.label, first.instead) == ('box misplaced', 6, k, k)
    assert first.box == 0 and first.patch == tuple(GRID[cell])


def test_a_second_object_without_box_is_overlooked():
    """One box of the class is there, another object of it has none."""
    world = make_world()
    k, cell = world.truth[8][0]
    other = (cell + 5) % 16
    world.truth[8].append((k, other))
    first = checks_of(world)[0]
    assert (first.kind, first.image, first.label, first.box) == ('box overlooked', 8, k, None)
    assert first.patch == tuple(GRID[other])


def test_a_label_of_nothing_is_wrong_without_another():
    """The head sees no class that the label could be of."""
    world = make_world(boxes=False)
    k = next(c for c in range(3) if c not in {c for c, _ in world.truth[0]})
    world.given[0].append((k, 0))
    first = checks_of(world)[0]
    assert (first.kind, first.image, first.label, first.instead) == ('wrong label', 0, k, None)


def test_surer_errors_come_first():
    """Scores fall, and are those of the margins; a flipped label is surer than a removed one."""
    world = make_world(number=100)
    world.given[5].pop()
    k, cell = world.truth[4][0]
    world.given[4][0] = ((k + 1) % 3, cell)
    checks = checks_of(world)
    assert [check.image for check in checks[:2]] == [4, 5]
    scores = [check.score for check in checks]
    assert scores == sorted(scores, reverse=True)
    assert scores == [probability(check.margin) for check in checks]
    assert probability(0.0) == pytest.approx(ERROR_RATE)


def spoiled(seed=0, boxes=True):
    """A world of noisy votes with an error in every tenth image."""
    world = make_world(number=80, classes=4, seed=seed, boxes=boxes)
    world.noise = 0.9
    for n in range(0, 80, 10):
        k, cell = world.truth[n][0]
        world.given[n][0] = ((k + 1 + n // 10 % 3) % 4, cell)
    return world


@BOXES
def test_one_check_per_class_of_an_image(boxes):
    """No class of an image is in two checks; the kinds are those that are named."""
    checks = checks_of(spoiled(boxes=boxes))
    assert len(checks) > 8 and {check.kind for check in checks} <= {*KINDS}
    about = [(check.image, k) for check in checks for k in check.classes]
    assert len(about) == len({*about})
    assert all(check.margin > 0 for check in checks)


@BOXES
@pytest.mark.parametrize('seed', range(3))
def test_the_order_of_images_does_not_matter(boxes, seed):
    """The same checks, with the same scores, in the same order."""
    images, scores, labels, folds = images_of(spoiled(seed, boxes))
    first = audit(images, labels, fit_margins(images, scores, labels, folds))
    order = np.random.default_rng(seed).permutation(len(images))
    images, scores, labels, folds = (
        [images[n] for n in order], scores[:, order], labels[order], folds[:, order],
    )  # fmt: skip
    second = audit(images, labels, fit_margins(images, scores, labels, folds))
    assert [c.image_id for c in first] == [c.image_id for c in second]
    assert [(c.kind, c.label, c.instead, c.box) for c in first] == [
        (c.kind, c.label, c.instead, c.box) for c in second
    ]
    assert np.allclose([c.margin for c in first], [c.margin for c in second], atol=1e-4)


@BOXES
@pytest.mark.parametrize('seed', range(3))
def test_renamed_classes_are_renamed_in_the_checks(boxes, seed):
    """Classes in another order give the same checks about the same classes."""
    images, scores, labels, folds = images_of(spoiled(seed, boxes))
    first = audit(images, labels, fit_margins(images, scores, labels, folds))
    new = np.random.default_rng(seed).permutation(4)  # class k becomes new[k]
    old = np.argsort(new)
    images = [
        image._replace(
            box_labels=new[image.box_labels],
            evidence=image.evidence._replace(
                best=image.evidence.best[old],
                best_patch=image.evidence.best_patch[old],
                away=image.evidence.away[old],
                away_patch=image.evidence.away_patch[old],
                inside=image.evidence.inside[:, old],
                inside_patch=image.evidence.inside_patch[:, old],
            ),
        )
        for image in images
    ]
    scores, labels = scores[..., old], labels[:, old]
    second = audit(images, labels, fit_margins(images, scores, labels, folds))

    def renamed(k):
        return None if k is None else int(new[k])

    expected = [
        dataclasses.replace(c, label=renamed(c.label), instead=renamed(c.instead)) for c in first
    ]
    key = [(c.image_id, c.kind, c.label, c.instead, c.box) for c in expected]
    assert key == [(c.image_id, c.kind, c.label, c.instead, c.box) for c in second]


def test_difficult_objects_and_unknown_labels_are_not_checked():
    """A class that only difficult objects have (0) is neither missing nor wrong."""
    world = make_world()
    world.given[5].pop()
    images, scores, labels, folds = images_of(world)
    hidden = world.truth[5][-1][0]
    labels[5, hidden] = 0
    checks = audit(images, labels, fit_margins(images, scores, labels, folds))
    assert checks == []


def test_classes_that_scores_do_not_tell_are_left_out():
    """Scores against the labels, or one class only: no probability, so no check by it."""
    images, scores, labels, folds = images_of(make_world(boxes=False))
    margins = fit_margins(images, 1 - scores, labels, folds)
    assert np.isnan(margins.present).all() and margins.box is None and margins.place is None
    assert audit(images, labels, margins) == []
