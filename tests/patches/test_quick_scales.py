"""Three scales for a first look: what the objects need, at a bounded cost."""

import numpy as np

from tcnn_mm.patches.quick_scales import DEFAULT, MOST_COST, quick_scales
from tcnn_mm.patches.scale_choice import dense_cost

SCALES = (1.0, 1.6, 2.4, 4.0, 5.0, 10.0)


def covers(*rows):
    """(S, N) bool of SCALES from the scales that cover each object."""
    return np.array([[scale in row for row in rows] for scale in SCALES])


def test_objects_that_the_whole_image_covers_need_no_other():
    """The default scales then."""
    assert quick_scales(covers((1.0,), (1.0, 1.6)), np.array([0, 0]), SCALES) == DEFAULT


def test_the_cheapest_good_scale_is_taken():
    """λ = 4 covers all five, 2.4 four of them: 2.4, which leaves one for 4."""
    rows = [(2.4, 4.0)] * 4 + [(4.0,)]
    assert quick_scales(covers(*rows), np.zeros(5, int), SCALES) == (1.0, 2.4, 4.0)


def test_a_rare_class_counts_as_much_as_a_common_one():
    """Two objects that only λ = 5 covers, beside a hundred of another class."""
    rows = [(1.0, 1.6)] * 100 + [(5.0,)] * 2
    assert 5.0 in quick_scales(covers(*rows), np.repeat([0, 1], [100, 2]), SCALES)


def test_the_cost_is_bounded():
    """λ = 10 alone would cover the objects; it costs too much."""
    rows = [(10.0,)] * 5 + [(5.0, 10.0)] * 2
    found = quick_scales(covers(*rows), np.zeros(7, int), SCALES)
    assert 10.0 not in found and 5.0 in found and len(found) == 3
    assert dense_cost(found) <= MOST_COST


def test_objects_that_no_scale_covers():
    """The default scales."""
    assert quick_scales(covers(()), np.array([0]), SCALES) == DEFAULT
