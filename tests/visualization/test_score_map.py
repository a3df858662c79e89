"""Score maps over images: titles, legend, boxes, points and opacity of what is drawn."""

import numpy as np
import pytest

from tcnn_mm.visualization.map_values import TOP_SCORE
from tcnn_mm.visualization.score_map import ScoreMapVisualizer


@pytest.fixture
def drawn(monkeypatch):
    """Figures and colour bars of what is drawn in a test."""
    from matplotlib.figure import Figure

    drawn, colorbar = [], Figure.colorbar

    def spy(self, *arguments, **options):
        drawn.append((self, colorbar(self, *arguments, **options)))
        return drawn[-1][1]

    monkeypatch.setattr(Figure, 'colorbar', spy)
    return drawn


@pytest.mark.parametrize('with_image', [True, False])
@pytest.mark.parametrize(
    'damping, label', [(0, 'mean patch score'), (20, 'mean patch score, damped by 20')]
)
def test_titles_and_legend(drawn, with_image, damping, label):
    """The title above each map; a bar of the one scale of all images."""
    image, maps = np.zeros((30, 40, 3), np.uint8), np.full((2, 30, 40), 0.25, np.float32)
    maps[1] = 0.5
    titles = ['dog, image score 0.1', 'cat']
    panel = ScoreMapVisualizer().draw_score_maps(
        image, maps, titles, with_image=with_image, damping=damping
    )
    ((figure, bar),) = drawn
    found = [axis.get_title() for axis in figure.axes[:-1]]
    assert found == ['image'] * with_image + titles
    assert (bar.vmin, bar.vmax) == (0, TOP_SCORE) and bar.ax.get_ylabel() == label
    assert panel.dtype == np.uint8 and panel.shape[2] == 3


def test_each_map_shows_the_boxes_and_the_point_of_its_class(drawn):
    """All boxes with names on the image; on a map those of its class, and its cross."""
    image, maps = np.zeros((30, 40, 3), np.uint8), np.full((2, 30, 40), 0.25, np.float32)
    boxes, names = [[2, 3, 12, 13], [20, 5, 38, 25]], ['dog', 'cat']
    ScoreMapVisualizer().draw_score_maps(
        *(image, maps, ['a', 'b'], boxes, names),
        map_names=['cat', 'cow'],
        points=np.array([[30, 15], [5, 6]]),
    )
    whole, cat, cow = drawn[0][0].axes[:3]
    assert [text.get_text() for text in whole.texts] == names
    assert [len(axis.patches) for axis in (whole, cat, cow)] == [2, 1, 0]
    assert cat.patches[0].get_bbox().extents.tolist() == boxes[1]
    for axis, point in ((cat, [30, 15]), (cow, [5, 6])):
        assert [line.get_xydata().tolist() for line in axis.lines] == [[point]] * 2


def test_a_map_is_transparent_where_it_is_low():
    """Score 0 leaves the pixels of the image; the highest score covers them."""
    image = np.full((32, 32, 3), 200, np.uint8)
    maps = np.zeros((1, 32, 32), np.float32)
    maps[0, :, 16:] = 1
    panel = ScoreMapVisualizer(alpha=1).draw_score_maps(image, maps, [''], with_image=False)
    left, right = panel[panel.shape[0] // 2, [60, 240]]
    assert (left == 200).all() and (right != 200).any()


def colours(drawn, panel):
    """Values and opacity of the map in a panel of the newest figure."""
    overlay = drawn[-1][0].axes[panel].images[1]
    return np.asarray(overlay.get_array()), np.asarray(overlay.get_alpha())


def test_a_value_has_one_colour_in_every_image_and_class(drawn):
    """A class that is absent is not stretched to the colours of one that is present."""
    image, maps = np.full((30, 40, 3), 90, np.uint8), np.zeros((2, 30, 40), np.float32)
    maps[:, 10:20, 10:30] = [[[0.4]], [[0.2]]]
    names, sure = ['cat', 'kangaroo'], [0.9, 0.01]
    ScoreMapVisualizer().draw_score_maps(image, maps, names, probabilities=sure)
    _, bar = drawn[-1]
    assert (bar.vmin, bar.vmax) == (0, 1)
    present, absent = colours(drawn, 1), colours(drawn, 2)
    assert present[0].max() == pytest.approx(0.9) and present[1].max() > 0.6
    assert absent[0].max() == pytest.approx(0.01) and not absent[1].any()
    alone = ScoreMapVisualizer().draw_score_maps(image, maps[1:], [''], probabilities=[0.01])
    nothing = ScoreMapVisualizer().draw_score_maps(image, 0 * maps[1:], [''], probabilities=[0.01])
    assert np.array_equal(alone, nothing)
    ScoreMapVisualizer(stretch=True).draw_score_maps(image, maps[1:], [''], probabilities=[0.01])
    assert drawn[-1][1].vmax == pytest.approx(0.2)
    assert colours(drawn, 1)[1].max() == pytest.approx(0.75)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    """One line that names what to install."""
    import sys

    from tcnn_mm.errors import UserError
    from tcnn_mm.visualization.figure import make_figure

    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    with pytest.raises(UserError, match=r"needs matplotlib .*pip install 'tcnn_mm\[vis\]'"):
        make_figure((1, 1))
