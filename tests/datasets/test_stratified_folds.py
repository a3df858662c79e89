"""Folds: every image once, classes spread evenly, groups whole, nothing but the seed random."""

import numpy as np
import pytest

from tcnn_mm.datasets.stratified_folds import class_counts, stratified_folds
from tcnn_mm.errors import InvalidValueError


def drawn(images, classes, seed=0):
    """Labels of images with classes of different frequency."""
    random = np.random.default_rng(seed)
    shares = random.random(classes) * 0.4
    return [np.flatnonzero(random.random(classes) < shares).tolist() for _ in range(images)]


@pytest.mark.parametrize('images, classes, folds', [(50, 5, 5), (240, 4, 5), (11, 3, 5), (9, 1, 2)])
def test_each_fold_has_its_share(images, classes, folds):
    """Of all images, and of each class that is rare, a fold has a share to one image or so."""
    labels = drawn(images, classes)
    found = stratified_folds(labels, folds, seed=3)
    sizes = np.bincount(found, minlength=folds)
    assert sizes.sum() == images and sizes.max() - sizes.min() <= 2
    counts = np.array([class_counts([labels[i] for i in np.flatnonzero(found == f)], classes)
                       for f in range(folds)])  # fmt: skip
    assert (counts.max(0) - counts.min(0)).max() <= 2
    rarest = int(np.where(counts.sum(0) > 0, counts.sum(0), 99999).argmin())
    assert counts[:, rarest].max() - counts[:, rarest].min() <= 1


def test_the_seed_alone_decides_among_equals():
    """The same arguments give the same folds, another seed others."""
    labels = drawn(60, 4)
    first = stratified_folds(labels, 5, 0)
    assert (stratified_folds(labels, 5, 0) == first).all()
    assert (stratified_folds(labels, 5, 1) != first).any()


def test_groups_stay_together():
    """No group is in two folds, and no fold is empty, also where few groups are large."""
    labels = drawn(60, 4)
    groups = ['film' if i < 30 else f'{i // 3}' for i in range(60)]
    found = stratified_folds(labels, 5, 0, groups)
    for name in set(groups):
        assert len({f for f, g in zip(found, groups, strict=True) if g == name}) == 1
    assert set(found) == set(range(5))
    few = stratified_folds([[0]] * 7, 3, 0, [0, 0, 0, 0, 0, 1, 2])
    assert set(few) == {0, 1, 2}


def test_more_folds_than_groups_are_refused():
    """The message says how many are possible."""
    with pytest.raises(InvalidValueError, match=r'5 folds of 3 images: give from 2 to 3'):
        stratified_folds([[0]] * 3, 5)
    with pytest.raises(InvalidValueError, match=r'3 folds of 2 groups of images'):
        stratified_folds([[0]] * 4, 3, 0, [1, 1, 2, 2])
