"""Patches as detections: suppression by hand, and mmdet's own metric on them."""

import sys

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import PatchDetectionMetric
from tcnn_mm.evaluation.patch_detection import patch_detections

BOXES = torch.tensor([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], dtype=torch.float32)


def test_the_better_of_two_overlapping_patches_stays():
    """Within a class; another class at the same place is not touched; low scores are dropped."""
    scores = torch.tensor([[0.6, 0.5], [0.9, 0.0], [0.3, 0.01]])
    boxes, values, labels = patch_detections(BOXES, scores)
    assert values.tolist() == pytest.approx([0.9, 0.5, 0.3])
    assert labels.tolist() == [0, 1, 0]
    assert torch.equal(boxes, BOXES[[1, 0, 2]])


def test_the_limit_keeps_the_best():
    """max_per_image counts all classes together; nothing above min_score gives nothing."""
    scores = torch.tensor([[0.6, 0.5], [0.0, 0.0], [0.3, 0.8]])
    assert patch_detections(BOXES, scores, max_per_image=2)[1].tolist() == pytest.approx([0.8, 0.6])
    boxes, values, labels = patch_detections(BOXES, scores, min_score=0.95)
    assert boxes.shape == (0, 4) and len(values) == len(labels) == 0


def slow_nms(boxes, scores, threshold):
    """Greedy suppression in loops."""
    kept = []
    for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
        for j in kept:
            w = min(boxes[i][2], boxes[j][2]) - max(boxes[i][0], boxes[j][0])
            h = min(boxes[i][3], boxes[j][3]) - max(boxes[i][1], boxes[j][1])
            shared = max(w, 0) * max(h, 0)
            area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (boxes[i], boxes[j]))
            if shared / (area - shared) > threshold:
                break
        else:
            kept.append(i)
    return kept


def test_suppression_equals_a_loop():
    """Random patches of one class."""
    random = np.random.default_rng(0)
    corner = random.uniform(0, 60, (40, 2))
    boxes = np.concatenate([corner, corner + random.uniform(10, 40, (40, 2))], 1)
    scores = random.permutation(40) / 40 + 0.1
    kept = slow_nms(boxes.tolist(), scores.tolist(), 0.4)
    found = patch_detections(torch.tensor(boxes), torch.tensor(scores)[:, None], 0.4)
    np.testing.assert_allclose(found[1].numpy(), scores[kept], atol=1e-6)


def make_sample(name, boxes, labels, difficult, patches, scores):
    sample = DataSample(metainfo=dict(img_id=name))
    sample.set_field(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), 'gt_bboxes')
    sample.set_field(torch.tensor(labels, dtype=torch.int64), 'gt_bboxes_labels')
    sample.set_field(torch.tensor(difficult, dtype=torch.bool), 'gt_bboxes_difficult')
    sample.set_field(torch.tensor(patches, dtype=torch.float32), 'patch_boxes', dtype=None)
    sample.set_field(torch.tensor(scores), 'patch_scores', dtype=None)
    return sample


def test_mmdets_metric_by_hand():
    """One cat found, one not, the patch on the difficult cat ignored: AP 1/2; dog: AP 1."""
    pytest.importorskip('mmdet')
    cats = make_sample(
        'a', [[0, 0, 50, 50], [200, 0, 250, 50], [0, 200, 50, 250]], [0, 0, 0], [0, 0, 1],
        [[0, 0, 52, 52], [0, 198, 50, 250]], [[0.9, 0.0], [0.95, 0.0]],
    )  # fmt: skip
    dog = make_sample('b', [[10, 10, 90, 90]], [1], [0], [[10, 10, 90, 88]], [[0.0, 0.7]])
    metric = PatchDetectionMetric()
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=('cat', 'dog'))
    for sample in (cats, dog):
        evaluator.process([sample])
    found = evaluator.evaluate(2)
    assert found['patch_detection/mAP'] == pytest.approx(0.75)
    assert found['patch_detection/AP50'] == pytest.approx(0.75)


def test_what_is_missing_is_named():
    """Without patch scores: the error names the hook that is missing."""
    pytest.importorskip('mmdet')
    sample = make_sample('a', [], [], [], [[0, 0, 1, 1]], [[0.5]])
    del sample.patch_scores
    metric = PatchDetectionMetric()
    metric.dataset_meta = dict(classes=('cat',))
    with pytest.raises(UserError, match='patch_scores.*PatchScoresHook'):
        metric.process(None, [sample.to_dict()])


def test_without_mmdet_the_error_names_the_extra(monkeypatch):
    """One line that names what to install."""
    monkeypatch.setitem(sys.modules, 'mmdet', None)
    with pytest.raises(UserError, match=r"needs mmdet .*pip install 'tcnn_mm\[det\]'"):
        PatchDetectionMetric()
