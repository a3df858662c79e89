"""Maps that patches of several scales share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnn_mm.patches.geometry import PAPER_SCALES
from tcnn_mm.patches.map_scales import map_scales
from tcnn_mm.patches.scale_choice import dense_cost


@given(st.lists(st.floats(1, 30), min_size=1, max_size=9), st.floats(1, 3))
def test_every_scale_has_a_map(scales, ratio):
    """Each λ has a map that is not finer and at most `ratio` coarser; no map costs for nothing."""
    maps = map_scales(scales, ratio)
    assert list(maps) == sorted(set(maps)) and maps[0] == min(scales)
    used = {max(each for each in maps if each <= scale) for scale in scales}
    assert used == set(maps)
    for scale in scales:
        assert scale / max(each for each in maps if each <= scale) <= ratio * (1 + 1e-6)
    assert dense_cost(maps) <= dense_cost(sorted(set(scales))) * (1 + 1e-9)


def test_of_the_nine_scales():
    """A ratio of one keeps every map; larger ones cost less and less."""
    assert map_scales(PAPER_SCALES, 1) == PAPER_SCALES
    costs = [dense_cost(map_scales(PAPER_SCALES, ratio)) for ratio in (1, 1.25, 1.5, 2, 4)]
    assert costs == sorted(costs, reverse=True) and costs[-1] == 1


def test_a_ratio_below_one_is_refused():
    """A patch cannot be read from a finer map."""
    with pytest.raises(ValueError, match='ratio=0.5; give a number ≥ 1'):
        map_scales((1.0,), 0.5)
