"""The coverage report counts missed objects and suggests scales that cover them."""

import numpy as np
import pytest

from tcnn_mm.patches import PatchGrid, PatchLabeler
from tcnn_mm.patches.coverage import covered, measure_coverage
from tcnn_mm.patches.labeler import label_patches


def item(boxes, labels, difficult=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    hard = np.zeros(len(boxes), bool) if difficult is None else np.array(difficult)
    return dict(
        height=375,
        width=500,
        gt_bboxes=boxes,
        gt_bboxes_labels=np.array(labels, int),
        gt_bboxes_difficult=hard,
    )


def test_covered_equals_the_rule_on_every_patch():
    """Best row × best column decides exactly as labelling the box alone on the whole grid."""
    random = np.random.default_rng(0)
    grid = PatchGrid(scales=(2.4,))
    for _ in range(300):
        x, y = random.uniform(0, 400), random.uniform(0, 300)
        box = [[x, y, min(500, x + random.uniform(5, 300)), min(375, y + random.uniform(5, 300))]]
        label, _ = label_patches(grid((375, 500)).xyxy, box, [0], num_classes=1)
        assert covered((375, 500), box, grid, 2.4)[0] == (label == 0).any()


def test_small_objects_are_missed_and_a_scale_is_suggested():
    """A 20-px object is missed by the nine scales; the report suggests λ that covers it."""
    report = measure_coverage(
        [item([[100, 100, 120, 120], [50, 50, 350, 350]], [0, 1])],
        ['dot', 'big'],
        PatchGrid(),
        PatchLabeler(num_classes=2),
    )
    assert report.objects.tolist() == [1, 1]
    assert report.missed.tolist() == [1, 0] and report.named.tolist() == [0, 1]
    assert report.suggestion and min(report.suggestion) > 4
    better = PatchGrid(scales=PatchGrid().scales + tuple(report.suggestion))
    again = measure_coverage(
        [item([[100, 100, 120, 120]], [0])], ['dot'], better, PatchLabeler(num_classes=1)
    )
    assert again.missed.tolist() == [0]
    assert any('dot' in line and 'λ=' in line for line in report.table())


def test_always_deleted_is_told_from_too_small():
    """Two objects in one place are covered but never alone in a patch."""
    report = measure_coverage(
        [item([[100, 100, 300, 300], [102, 102, 302, 302]], [0, 1])],
        ['a', 'b'],
        PatchGrid(scales=(1.3,)),
        PatchLabeler(num_classes=2),
    )
    assert report.missed.tolist() == [0, 0] and report.named.tolist() == [0, 0]


def test_difficult_objects_are_not_counted_and_counts_add_up():
    """Difficult boxes stay out; every grid patch is counted once."""
    grid = PatchGrid()
    report = measure_coverage(
        [item([[100, 100, 300, 300]], [0], [True])], ['a'], grid, PatchLabeler(num_classes=1)
    )
    assert report.objects.tolist() == [0]
    assert report.labelled.sum() == len(grid((375, 500))) == report.patches[0]
    assert report.suggestion == []


@pytest.mark.parametrize('snap', [1, 32])
def test_an_empty_data_set_has_a_table(snap):
    """No images: a table of zeros, no error."""
    report = measure_coverage([], ['a'], PatchGrid(snap=snap), PatchLabeler(num_classes=1))
    assert len(report.table()) == 3
