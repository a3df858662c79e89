"""Contact sheets, curves and overlays: what is drawn is what was given."""

import numpy as np

from tcnn_mm.visualization.contact_sheet import contact_sheet, cut
from tcnn_mm.visualization.curves import precision_recall_curve, to_svg, training_curve
from tcnn_mm.visualization.score_map import ScoreMapVisualizer

RED, BLUE = (np.full((20, 20, 3), color, np.uint8) for color in ((200, 0, 0), (0, 0, 200)))


def test_a_contact_sheet_has_each_patch_in_its_place():
    """Row by row, `columns` in a row, each with its colours; frames where asked."""
    sheet = contact_sheet(
        [RED, BLUE, RED], ['1', '2', '3'], columns=2, side=40, colors=['lime'] * 3
    )
    assert sheet.shape[1] == 2 * 46 + 6 and sheet.shape[0] > 2 * 46
    for (x, y), color in (((26, 26), RED), ((72, 26), BLUE), ((26, 88), RED)):
        assert (sheet[y, x] == color[0, 0]).all()
    assert (sheet == (0, 255, 0)).all(2).sum() > 3 * 4 * 40
    assert contact_sheet([RED], ['1']).shape[1] == 96 + 12


def test_cut_takes_the_part_inside():
    """A box that leaves the picture, as a person's square may, gives what there is of it."""
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert (cut(image, (-3, 1, 2, 9)) == image[1:, :2]).all()
    assert cut(image, (7, 7, 9, 9)).size


def test_the_curve_goes_through_the_devkits_points():
    """Two positives of four, one difficult: recall 1/2 at precision 1, recall 1 at 2/3."""
    figure = precision_recall_curve(
        np.array([0.9, 0.8, 0.7, 0.6, 0.1]), np.array([1, 0, -1, 1, -1])
    )
    raw, best = figure.axes[0].lines
    assert raw.get_xydata().tolist() == [[0.5, 1], [0.5, 0.5], [1, 2 / 3], [1, 0.5]]
    assert best.get_xydata().tolist() == [[0, 1], [0.5, 1], [0.5, 2 / 3], [1, 2 / 3], [1, 0.5]]


def test_training_curves_leave_out_what_was_not_logged():
    """Only the lines that have the key; no figure without any."""
    rows = [dict(step=1, loss=2.0), dict(step=2, loss=1.0, object_accuracy=0.5)]
    figure = training_curve(rows, dict(loss='loss', object_accuracy='accuracy', other='x'), 'y')
    loss, accuracy = figure.axes[0].lines
    assert loss.get_xydata().tolist() == [[1, 2], [2, 1]]
    assert accuracy.get_xydata().tolist() == [[2, 0.5]] and accuracy.get_label() == 'accuracy'
    assert training_curve(rows, dict(other='x'), 'y') is None


def test_the_same_curve_is_the_same_text():
    """No date, no random name in the SVG: pages of one run can be compared."""
    texts = {
        to_svg(training_curve([dict(step=1, loss=2.0)], dict(loss='a'), 'y')) for _ in range(2)
    }
    assert len(texts) == 1 and texts.pop().count('<svg') == 1


def test_an_overlay_tells_class_score_and_range(monkeypatch):
    """The legend: the title above each map; a bar from 0 to the highest score of the maps."""
    from matplotlib.figure import Figure

    drawn, colorbar = [], Figure.colorbar

    def spy(self, *arguments, **options):
        drawn.append((self, colorbar(self, *arguments, **options)))
        return drawn[-1][1]

    monkeypatch.setattr(Figure, 'colorbar', spy)
    image, maps = np.zeros((30, 40, 3), np.uint8), np.full((2, 30, 40), 0.25, np.float32)
    maps[1] = 0.5
    for with_picture in (True, False):
        picture = ScoreMapVisualizer().draw_score_maps(
            image,
            maps,
            ['dog, image score 0.1', 'cat'],
            with_picture=with_picture,
            damping=0 if with_picture else 20,
        )
        figure, bar = drawn[-1]
        titles = [axis.get_title() for axis in figure.axes[:-1]]
        assert titles == ['picture'] * with_picture + ['dog, image score 0.1', 'cat']
        assert (bar.vmin, bar.vmax) == (0, 0.5) and bar.ax.get_ylabel() == (
            'mean patch score' if with_picture else 'mean patch score, damped by 20'
        )
        assert picture.dtype == np.uint8 and picture.shape[2] == 3
