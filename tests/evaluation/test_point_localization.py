"""The metric of localization by points: four images by hand, and errors that name the image."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import PointLocalization


def make_sample(name, boxes, labels, difficult, scores, peaks, size_hw=(100, 200)):
    """An image whose class k has one good patch of 20 px around `peaks[k]`."""
    labels, difficult = np.array(labels, int), np.array(difficult, bool)
    plain = sorted(set(labels[~difficult].tolist()))
    hard = sorted(set(labels[difficult].tolist()))
    sample = DataSample(metainfo=dict(img_id=name, ori_shape=size_hw, gt_label_difficult=hard))
    sample.set_gt_label(torch.tensor(plain, dtype=torch.int64))
    sample.set_pred_score(torch.tensor(scores))
    sample.set_field(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), 'gt_bboxes')
    sample.set_field(torch.tensor(labels), 'gt_bboxes_labels')
    sample.set_field(torch.tensor(difficult), 'gt_bboxes_difficult')
    around = [[x - 10, y - 10, x + 10, y + 10] for x, y in peaks]
    patches = [[0, 0, size_hw[1], size_hw[0]], *around]
    sample.set_field(torch.tensor(patches, dtype=torch.float32), 'patch_boxes', dtype=None)
    eye = torch.cat([torch.zeros(1, len(peaks)), torch.eye(len(peaks))])
    sample.set_field(eye, 'patch_scores', dtype=None)
    return sample


CLASSES = ('cat', 'dog')
IMAGES = [
    # cat found, exactly in the middle of the image; dog missed by far
    ('a', [[90, 40, 110, 60], [0, 0, 20, 20]], [0, 1], [0, 0], [0.9, 0.9], [(100, 50), (150, 80)]),
    # cat found within 18 px, not within 15; no dog
    ('b', [[20, 20, 40, 40]], [0], [0], [0.8, 0.1], [(57, 30), (10, 10)]),
    # a cat that points at the difficult one only; a dog with a difficult object only
    ('c', [[20, 20, 40, 40], [150, 20, 170, 40], [0, 60, 20, 80]], [0, 0, 1], [0, 1, 1],
     [0.7, 0.95], [(160, 30), (10, 70)]),
    # dog found; no cat, but the highest cat score
    ('d', [[150, 60, 190, 90]], [1], [0], [0.95, 0.5], [(100, 50), (170, 75)]),
]  # fmt: skip


def evaluate(metric, samples, classes=CLASSES):
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=classes)
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def test_four_images_by_hand():
    """AP, hits and centre of each class; difficult objects; the table in the log's units."""
    metric = PointLocalization()
    found = evaluate(metric, [make_sample(*p) for p in IMAGES])
    rows = metric.report['classes']
    # cat, by score: d −, a found, b found, c missed (−); 3 to find.
    assert rows['cat']['ap'] == pytest.approx(2 / 3 * 2 / 3)
    assert rows['cat']['hit_rate'] == pytest.approx(1 / 3)
    # dog: c is ignored; a missed, d found; 2 to find.
    assert rows['dog']['ap'] == pytest.approx(0.5 * 0.5)
    assert rows['dog']['hit_rate'] == 0.5
    # centre (100, 50): a's cat alone.
    assert rows['cat']['centre_ap'] == pytest.approx(1 / 3 * 1 / 2)
    assert rows['cat']['centre_hit_rate'] == pytest.approx(1 / 3)
    assert rows['dog']['centre_ap'] == rows['dog']['centre_hit_rate'] == 0
    assert [rows['dog'][key] for key in ('positives', 'difficult')] == [2, 1]
    assert found == pytest.approx(
        {
            'point/mAP': 50 * (4 / 9 + 1 / 4),
            'point/hit_rate': 50 * (1 / 3 + 1 / 2),
            'point/centre_mAP': 50 / 6,
            'point/centre_hit_rate': 50 / 3,
        }
    )
    assert metric.report['metric'] == 'point' and metric.report['images'] == 4
    assert metric.scores[0] == ['a', 'b', 'c', 'd']


def test_what_is_kept_of_an_image_is_small():
    """No patch score and no map stays behind: memory does not grow with the test set."""
    metric = PointLocalization()
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process(None, [make_sample(*p).to_dict() for p in IMAGES])
    kept = [v for row in metric.results for v in vars(row).values()]
    assert not any(isinstance(v, torch.Tensor) for v in kept)
    assert sum(v.nbytes for v in kept if isinstance(v, np.ndarray)) < 4 * 100


def test_images_without_a_class_need_no_map():
    """A negative image is wrong wherever it points: nothing of it is read but its scores."""
    sample = make_sample('n', [], [], [], [0.4, 0.3], [(5, 5), (9, 9)])
    del sample.patch_scores, sample.patch_boxes
    metric = PointLocalization()
    found = evaluate(metric, [make_sample(*IMAGES[0]), sample])
    assert metric.report['images'] == 2 and found['point/hit_rate'] == 50


def test_a_subset_has_its_own_means():
    """subset: further keys, beside the mean of all."""
    metric = PointLocalization(subset=['dog'])
    found = evaluate(metric, [make_sample(*p) for p in IMAGES])
    assert found['point/mAP_subset'] == 25 and found['point/centre_hit_rate_subset'] == 0
    assert metric.report['subset'] == ['dog']


@pytest.mark.parametrize(
    'gone, message',
    [('patch_scores', 'PatchScoresHook'), ('gt_bboxes', 'boxes'), ('ori_shape', 'ori_shape')],
)
def test_what_is_missing_is_named(gone, message):
    """A sample without scores, boxes or size: which, of which image, what to do."""
    sample = make_sample(*IMAGES[0])
    delattr(sample, gone)
    with pytest.raises(UserError, match=rf'a has no .*{message}'):
        evaluate(PointLocalization(), [sample])


def test_a_class_without_a_box_is_named():
    """Labels of the image and boxes must tell the same."""
    sample = make_sample(*IMAGES[1])
    sample.gt_bboxes_labels = torch.tensor([1])
    with pytest.raises(UserError, match='b has the class cat but no box'):
        evaluate(PointLocalization(), [sample])
