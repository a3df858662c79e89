"""Which images a report shows for a class."""

import numpy as np

from tcnn_mm.reports.examples import choose, choose_per_class, shown_classes


def test_best_and_worst_images():
    """Half the best positives, a quarter false alarms, a quarter missed ones; none twice."""
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    labels = np.array([1, -1, 1, 0, 1, -1, 1, 1])
    chosen = {group: rows.tolist() for group, rows in choose(scores, labels, 4).items()}
    assert chosen == {'found': [0, 2], 'false alarms': [1], 'missed': [7]}
    chosen = {group: rows.tolist() for group, rows in choose(scores, labels, 12).items()}
    assert chosen == {'found': [0, 2, 4, 6, 7], 'false alarms': [1, 5], 'missed': []}


def test_a_class_without_positives_has_no_examples():
    """Its ranking says nothing; the other classes keep their column number."""
    scores = np.array([[0.9, 0.1], [0.2, 0.3], [0.5, 0.6]])
    labels = np.array([[-1, 1], [0, -1], [-1, 1]])
    chosen = choose_per_class(scores, labels, 4)
    assert list(chosen) == [1] and chosen[1]['found'].tolist() == [2, 0]


def test_of_many_classes_the_best_and_the_worst_are_shown():
    """At most 50 of 1000: each drawing takes time and space; all that have positives of fewer."""
    labels = np.full((3, 1000), -1)
    labels[0, ::2] = 1
    aps = [None if k == 0 else k / 1000 for k in range(1000)]
    assert shown_classes(aps, labels) == [*range(0, 50, 2), *range(950, 1000, 2)]
    assert shown_classes(aps[:40], labels[:, :40]) == list(range(0, 40, 2))
    chosen = choose_per_class(np.zeros((3, 1000)), labels, 4, shown_classes(aps, labels))
    assert list(chosen) == shown_classes(aps, labels)
