"""Drawings of a report: ranks, and sheets of the best patches."""

from types import SimpleNamespace

import numpy as np
import torch

from tcnn_mm.reports.gallery import PATCHES, ClassGallery, Patch, ranks


def test_ranks_start_at_one_and_ties_keep_their_order():
    """The highest score has rank 1."""
    assert ranks(np.array([0.2, 0.9, 0.2, 0.5])).tolist() == [3, 1, 4, 2]


def test_a_sheet_shows_the_best_patches_of_all_images():
    """At most PATCHES of them, highest score first; None where there is none."""
    assert ClassGallery().sheet() is None
    colors = np.random.default_rng(0).permutation(PATCHES + 4)
    patches = [Patch(float(c), 1, np.full((8, 8, 3), 10 * c, np.uint8)) for c in colors]
    sheet = ClassGallery(patches=patches).sheet()
    best = ClassGallery(patches=[patch for patch in patches if patch.score >= 4]).sheet()
    np.testing.assert_array_equal(sheet, best)
    ordered = ClassGallery(patches=sorted(patches, key=lambda patch: -patch.score)).sheet()
    np.testing.assert_array_equal(sheet, ordered)


def test_the_map_of_a_report_has_the_probability(monkeypatch):
    """Title and colours; the caption for readers without images says it too."""
    from tcnn_mm.reports.collect_examples import example_figure
    from tcnn_mm.reports.gallery import Example, draw_map
    from tcnn_mm.visualization.score_map import ScoreMapVisualizer

    drawn = []
    monkeypatch.setattr(
        ScoreMapVisualizer,
        'draw_score_maps',
        lambda self, image, maps, titles, **options: drawn.append((titles, options)),
    )
    boxes, none = torch.tensor([[0.0, 0, 8, 8]]), torch.zeros(0, 4)
    sample = SimpleNamespace(gt_bboxes=none, gt_bboxes_labels=torch.zeros(0, dtype=torch.int64))
    found = SimpleNamespace(patch_boxes=boxes, patch_scores=torch.tensor([[0.25]]), sample=sample)
    pixels = np.zeros((8, 8, 3), np.uint8)
    for p, title in ((0.75, 'cat, probability 75%'), (None, 'cat, image score 0.1')):
        draw_map(found, pixels, 0, 'cat', 0.1, 20.0, p)
        assert drawn[-1][0] == [title] and drawn[-1][1]['probabilities'] == [p]
        figure = example_figure('cat', Example('a', 1, 0.1, 1, p, pixels), 3)
        assert figure.alt.endswith(title)
