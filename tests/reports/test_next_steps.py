"""What the page of a fit advises: classes with few images, confused classes, commands."""

import numpy as np

from tcnn_mm.reports.facts import APInterval, Intervals
from tcnn_mm.reports.next_steps import Confusion, above_thresholds, find_confusions
from tcnn_mm.reports.next_steps import _few_images as few_images


def test_confusions_are_counted_where_one_class_is_there_and_the_other_is_not():
    """Images with both, and those where the other is difficult, count for nothing."""
    labels = np.array([[1, -1], [1, -1], [1, 1], [1, 0], [-1, 1], [-1, -1]])
    predicted = np.array([[1, 1], [0, 0], [1, 1], [0, 1], [1, 1], [1, 1]], bool)
    assert find_confusions(labels, predicted) == [Confusion(1, 0, 1, 1), Confusion(0, 1, 1, 2)]
    assert find_confusions(labels, np.zeros_like(predicted)) == []


def test_a_class_without_threshold_is_never_given():
    """At the threshold a class is given, as tcnn predict gives it."""
    scores = np.array([[0.5, 0.9, 0.1], [0.4, 0.9, 0.3]])
    given = above_thresholds(scores, ['a', 'b', 'c'], dict(a=0.5, b=None, c=0.2))
    assert given.tolist() == [[True, False, False], [False, False, True]]


def test_classes_that_say_little_come_first():
    """Few images, or a wide interval; the rest is counted; nothing to say is no step."""
    bounds = dict(rare=APInterval(0.1, 0.9), wide=APInterval(0.4, 0.8), sure=APInterval(0.9, 1.0))
    step = few_images(dict(sure=50, wide=40, rare=1), Intervals('voc10', bounds, None, ''))
    assert step.lines == ['rare: 1 image, AP 10 to 90', 'wide: 40 images, AP 40 to 80']
    assert few_images(dict(sure=50), Intervals('voc10', bounds, None, '')) is None
    step = few_images({f'c{n}': n for n in range(9)}, None)
    assert step.lines[0] == 'c0: 0 images' and step.lines[-1] == '3 more classes'
