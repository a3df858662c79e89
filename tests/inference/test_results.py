"""Maps and best patches of a result, against the definition."""

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.inference import results
from tcnn_mm.inference.label_rule import LabelRule
from tcnn_mm.inference.results import localization_maps, top_patches

BOXES = torch.tensor([[0, 0, 4, 4], [3, 0, 6, 4], [0, 0, 4, 3.0]])
SCORES = torch.tensor([[0.8], [0.4], [0.6]])


@pytest.mark.parametrize('damping', [0, 2])
def test_a_map_is_the_mean_of_the_patches_over_a_pixel(damping):
    """Per pixel, by a plain loop; `damping` adds patches of score 0."""
    expected = np.zeros((4, 6))
    for y, x in np.ndindex(4, 6):
        over = [
            float(score)
            for (x1, y1, x2, y2), score in zip(BOXES.tolist(), SCORES[:, 0], strict=True)
            if x1 <= x < x2 and y1 <= y < y2
        ]
        expected[y, x] = sum(over) / max(len(over) + damping, 1)
    maps = localization_maps(BOXES, SCORES, (4, 6), damping)
    assert maps.shape == (1, 4, 6) and maps.dtype == np.float32
    np.testing.assert_allclose(maps[0], expected, rtol=1e-6)


def test_the_long_side_bounds_a_map():
    """A larger image has `long_side` cells along its longer side."""
    assert localization_maps(BOXES, SCORES, (40, 60), 0, long_side=30).shape == (1, 20, 30)


def test_overlapping_patches_are_left_out():
    """The third box lies in the first: two places remain, the better patch of each."""
    found = top_patches(BOXES, SCORES[:, 0], 5)
    assert [round(patch['score'], 6) for patch in found] == [0.8, 0.4]
    assert found[0]['box'] == [0, 0, 4, 4]
    assert len(top_patches(BOXES, SCORES[:, 0], 1)) == 1


def test_a_thousand_classes_cost_no_more_than_the_labels(monkeypatch):
    """Patches and maps of the labels alone where no classes are asked for (before: 8.5 s)."""
    names, seen = [f'c{k}' for k in range(1000)], []
    sample = DataSample().set_pred_score(torch.rand(1000))
    sample.set_field(torch.tensor([[0.0, 0, 8, 8]]), 'patch_boxes', dtype=None)
    sample.set_field(torch.rand(1, 1000), 'patch_scores', dtype=None)
    whole = results.localization_maps
    monkeypatch.setattr(
        results, 'localization_maps', lambda *given: seen.append(given[1].shape) or whole(*given)
    )
    options = results.ResultOptions(shown=None, damping=0, score_maps=True)
    found = results.image_result(
        sample, np.zeros((8, 8, 3), np.uint8), names, LabelRule(False), options
    )
    assert seen == [(1, 1)] and list(found['maps']) == found['labels'] == list(found['patches'])
