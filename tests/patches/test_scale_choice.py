"""Scales are added where a class lacks them, the cheapest that will do, for the same price."""

import numpy as np

from tcnn_mm.patches.scale_choice import MOST_COST, choose_scales, dense_cost

CURRENT = (1.0, 2.0, 3.0, 4.0)
CANDIDATES = (*CURRENT, 6.0, 8.0, 10.0)


def covers(**classes):
    """Per class: scale → share of 100 objects that it covers; → (S, N), labels."""
    columns = []
    for shares in classes.values():
        columns.append(
            [[n < 100 * shares.get(scale, 0) for n in range(100)] for scale in CANDIDATES]
        )
    labels = np.repeat(np.arange(len(classes)), 100)
    return np.concatenate([np.array(c) for c in columns], axis=1), labels


def test_the_cheapest_that_is_nearly_as_good_and_no_dearer_than_before():
    """λ = 8 covers 85 % of the small class, 10 all: 8 is added; 4 and 3 are dropped."""
    table, labels = covers(big={1.0: 0.9, 2.0: 1, 3.0: 1}, small={6.0: 0.5, 8.0: 0.85, 10.0: 1})
    choice = choose_scales(table, labels, CANDIDATES, CURRENT)
    assert choice.added == {8.0: {1: 85}}
    # λ = 2 stays: without it a tenth of the big class would be missed.
    assert choice.dropped == (3.0, 4.0) and choice.scales == (1.0, 2.0, 8.0)
    named = table[[CANDIDATES.index(s) for s in choice.scales]].any(0)
    assert named[labels == 0].mean() >= 0.98


def test_no_scale_is_added_that_costs_too_much():
    """Few objects that λ = 20 alone covers (persons in a bus) do not make a fit eight times as
    long: the scale stays out, also beside one that is added, and the table names the objects."""
    tiny = covers(big={1.0: 1}, small={8.0: 0.5, 10.0: 0.5})
    table = np.concatenate([tiny[0], [np.arange(200) >= 100]])
    choice = choose_scales(table, tiny[1], (*CANDIDATES, 20.0), CURRENT)
    assert list(choice.added) == [8.0] and dense_cost(choice.scales) < MOST_COST


def test_covered_classes_change_nothing():
    """Most objects of every class are covered: the scales do not change, nothing is dropped."""
    table, labels = covers(a={1.0: 1}, b={2.0: 0.8, 10.0: 1})
    assert choose_scales(table, labels, CANDIDATES, CURRENT) == (CURRENT, {}, ())


def test_a_rare_class_counts_as_much_as_a_common_one():
    """A scale is added for two missed objects of a rare class, beside a hundred covered ones."""
    table, labels = covers(common={1.0: 1}, rare={10.0: 1})
    kept = np.flatnonzero((labels == 0) | (np.arange(200) % 50 == 0))
    choice = choose_scales(table[:, kept], labels[kept], CANDIDATES, CURRENT)
    assert list(choice.added) == [10.0]


def test_objects_that_no_scale_covers_end_the_search():
    """The scales stay as they are, and the call returns."""
    table, labels = covers(a={1.0: 1}, hopeless={})
    assert choose_scales(table, labels, CANDIDATES, CURRENT).scales == CURRENT


def test_cost_is_in_pixels():
    """λ = 2 has four times the pixels of λ = 1."""
    assert dense_cost((1.0, 2.0)) == 5
