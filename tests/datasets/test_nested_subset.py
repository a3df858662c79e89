"""Parts of a training set: nested, stratified, a pure function of labels and seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.nested_subset import nested_order, nested_subset


def make_labels(n=400, seed=0):
    """One to three of six classes per image, from very common to very rare; some of none."""
    random = np.random.default_rng(seed)
    share = np.array([0.5, 0.3, 0.1, 0.05, 0.01, 0.0025])
    return [np.flatnonzero(random.random(6) < share) for _ in range(n)]


def count(labels, part, k):
    return sum(k in labels[i] for i in part)


def test_every_image_is_once_in_the_order():
    """A permutation, of any labels: none, repeated, all alike, nothing at all."""
    for labels in (make_labels(), [[]] * 5, [[1, 1], [1]], []):
        assert sorted(nested_order(labels, 0).tolist()) == list(range(len(labels)))


@pytest.mark.parametrize('seed', range(3))
def test_larger_parts_contain_smaller_ones(seed):
    """The images of 2 % are among those of 5 %, and so on up to all."""
    labels, smaller = make_labels(), set()
    for fraction in (0.02, 0.05, 0.1, 0.25, 0.5, 1):
        part = nested_subset(labels, fraction, seed)
        assert len(part) == int(np.ceil(fraction * len(labels) - 1e-9)) == len(set(part))
        assert smaller <= set(part) and (np.diff(part) > 0).all()
        smaller = set(part)


@pytest.mark.parametrize('seed', range(3))
def test_each_class_is_there_as_far_as_it_goes(seed):
    """A part with room for all classes has all, the one with a single image too."""
    labels = make_labels()
    assert min(count(labels, range(len(labels)), k) for k in range(6)) <= 2
    part = nested_subset(labels, 0.02, seed)  # 8 images, 6 classes and none
    assert all(count(labels, part, k) for k in range(6))
    assert any(len(labels[i]) == 0 for i in part)


@pytest.mark.parametrize('fraction', [0.1, 0.25, 0.5])
def test_the_mixture_is_that_of_the_whole(fraction):
    """Each class's share of the part is near its share of the set."""
    labels = make_labels(1000)
    part = nested_subset(labels, fraction, 0)
    for k in range(6):
        expected = fraction * count(labels, range(len(labels)), k)
        assert abs(count(labels, part, k) - expected) <= max(2, 0.12 * expected)


def test_a_pure_function_of_labels_and_seed():
    """The same arguments give the same order; another seed another one; nothing is changed."""
    labels = make_labels()
    before = [mine.copy() for mine in labels]
    first = nested_order(labels, 3)
    np.random.seed(5)
    assert np.array_equal(first, nested_order([list(mine) for mine in labels], 3))
    assert not np.array_equal(first, nested_order(labels, 4))
    assert all(np.array_equal(a, b) for a, b in zip(labels, before, strict=True))


@pytest.mark.parametrize('fraction', [0, -0.1, 1.5])
def test_a_fraction_lies_between_0_and_1(fraction):
    """Anything else is an error that says so."""
    with pytest.raises(ValueError, match='fraction'):
        nested_subset(make_labels(), fraction, 0)


def naive_order(labels, seed):
    """The rule as written: at each step the most underrepresented class of all."""
    sets = [frozenset(map(int, mine)) or frozenset([-1]) for mine in labels]
    shuffled = np.random.default_rng(seed).permutation(len(sets))
    classes = sorted(set().union(*sets)) if sets else []
    waiting = {k: [i for i in shuffled[::-1] if k in sets[i]] for k in classes}
    total = {k: len(mine) for k, mine in waiting.items()}
    taken = dict.fromkeys(classes, 0)
    order, used = [], set()

    def urgency(k):
        if not taken[k]:
            return np.inf, -total[k]
        return total[k] / np.sqrt(taken[k] * (taken[k] + 1)), -total[k]

    while len(order) < len(sets):
        for k in classes:
            while waiting[k] and waiting[k][-1] in used:
                waiting[k].pop()
        k = max((k for k in classes if waiting[k]), key=urgency)
        order.append(waiting[k].pop())
        used.add(order[-1])
        for other in sets[order[-1]]:
            taken[other] += 1
    return np.array(order, np.int64)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), max_size=4), max_size=60), st.integers(0, 9))
def test_the_order_is_that_of_the_rule(labels, seed):
    """The queue of classes gives the order of the rule as written, image by image."""
    order = nested_order(labels, seed)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(order, naive_order(labels, seed))


@pytest.mark.parametrize('seed', range(3))
def test_the_order_of_many_images_is_that_of_the_rule(seed):
    """The same for 400 images with rare and common classes, and for 60 classes."""
    random = np.random.default_rng(seed)
    many = [random.integers(0, 60, random.integers(0, 4)) for _ in range(600)]
    for labels in (make_labels(seed=seed), many):
        np.testing.assert_array_equal(nested_order(labels, seed), naive_order(labels, seed))


def test_20000_images_of_500_classes():
    """Every image once; the first 500 have every class."""
    random = np.random.default_rng(0)
    labels = [[int(k)] for k in random.integers(0, 500, 20_000)]
    order = nested_order(labels, 0)
    assert sorted(order) == list(range(20_000))
    assert {labels[n][0] for n in order[:500]} == set(range(500))
