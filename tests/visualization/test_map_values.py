"""What colours of maps mean: closed forms of values, opacity, labels and titles."""

import numpy as np
import pytest

from tcnn_mm.visualization.map_values import FLOOR, TOP_SCORE, class_title, map_values

MAPS = np.array([[[0.0, 0.1], [0.2, 0.4]], [[0.3, 0.3], [0.0, 0.3]]], np.float32)


def test_the_best_cell_has_the_probability_and_others_their_share():
    """p × map ÷ maximum: the same order of cells, whatever the height of the map."""
    found = map_values(MAPS, [0.8, 0.05])
    assert found.top == 1 and found.label == 'probability × share of the maximum'
    assert found.values[0] == pytest.approx(np.array([[0, 0.2], [0.4, 0.8]]))
    assert found.values[1] == pytest.approx(np.array([[0.05, 0.05], [0, 0.05]]))
    assert map_values(MAPS / 3, [0.8, 0.05]).values == pytest.approx(found.values)


def test_uncalibrated_maps_are_drawn_as_they_are():
    """Mean patch scores, the same top in all images; the array given is not changed."""
    before = MAPS.copy()
    plain = map_values(MAPS, damping=20)
    assert np.array_equal(plain.values, MAPS) and plain.top == TOP_SCORE
    assert plain.label == 'mean patch score, damped by 20'
    mixed = map_values(MAPS, [None, 0.6])
    assert np.array_equal(mixed.values[0], MAPS[0]) and mixed.values[1].max() == pytest.approx(0.6)
    assert mixed.label == 'probability × share; uncalibrated: mean patch score'
    assert np.array_equal(MAPS, before)


def test_below_the_floor_a_map_is_transparent():
    """Opacity 0 up to the floor, 1 at the top, rising in between."""
    values = np.array([[[0, FLOOR / 2, FLOOR, 0.06, 0.4, TOP_SCORE, 0.9]]], np.float32)
    opacity = map_values(values).opacity()[0, 0]
    assert not opacity[:2].any() and opacity[2] == pytest.approx(0, abs=1e-3)
    assert (np.diff(opacity[2:6]) > 0).all() and (opacity[5:] == 1).all()
    assert not map_values(MAPS, [FLOOR * 0.99, 0]).opacity().any()


def test_stretched_maps_end_at_their_maximum():
    """The largest value of the maps drawn together is the top; probabilities are not read."""
    found = map_values(MAPS, [0.8, 0.05], stretch=True)
    assert np.array_equal(found.values, MAPS) and found.top == pytest.approx(0.4)
    assert found.label.endswith('hottest: maximum of this image')
    assert map_values(0 * MAPS, stretch=True).top == 1e-3


@pytest.mark.parametrize('stretch', [True, False])
def test_no_maps_and_empty_maps(stretch):
    """No class, and a map of zeros under any probability."""
    assert map_values(MAPS[:0], [], stretch=stretch).values.shape == (0, 2, 2)
    assert not map_values(0 * MAPS, [1.0, None], stretch=stretch).opacity().any()


def test_titles_have_the_probability_where_there_is_one():
    """Else the image score, which ranks alone."""
    assert class_title('cat', 0.000234, 0.934) == 'cat, probability 93%'
    assert class_title('cat', 0.000234, None, ' (not a label)') == (
        'cat, image score 0.00023 (not a label)'
    )


@pytest.mark.parametrize('largest', [1e-45, 1e-38, 1.0])
def test_maps_of_the_smallest_numbers_are_numbers(largest):
    """A share of the maximum is one whatever the maximum: 0.5 / 1e-45 is infinite."""
    scores = np.array([[[largest, 0.0]]], np.float32)
    assert map_values(scores, [0.5]).values.tolist() == [[[0.5, 0.0]]]
