"""Pointing: closed-form cases, an oracle for AP with misses, and the metric in the Runner."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import PointLocalization
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.point_localization import hit_rate, point_ap, points_found

BOX = [[10, 20, 30, 40]]


@pytest.mark.parametrize(
    'point, inside',
    [((10, 20), True), ((30, 40), True), ((8, 18), True), ((32, 42), True), ((7.9, 30), False),
     ((20, 42.1), False), ((32.1, 42.1), False)],
)  # fmt: skip
def test_the_box_grows_by_the_tolerance(point, inside):
    """Two pixels around the box on each side, corners and borders included."""
    assert points_found([point], [0], BOX, [0], 2).tolist() == [inside]


def test_a_point_counts_for_its_own_class():
    """Each class's point is looked up among that class's boxes, any of them."""
    boxes = [[0, 0, 10, 10], [50, 50, 60, 60], [80, 0, 90, 10]]
    points = [[85, 5], [55, 55], [5, 5]]
    assert points_found(points, [0, 1, 2], boxes, [0, 1, 0], 0).tolist() == [True, True, False]
    assert points_found(points[:1], [1], np.zeros((0, 4)), [], 5).tolist() == [False]


def literal_ap(scores, gt, found, mode):
    """The paper's sentence, step by step: a miss is a false positive and a false negative."""
    tp = fp = 0
    positives = sum(int(g == 1) for g in gt)
    curve = []
    for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if gt[i] == 0:
            continue
        if gt[i] == 1 and found[i]:
            tp += 1
        else:
            fp += 1
        missed = positives - tp  # not yet found, or never
        curve.append((Fraction(tp, tp + missed), Fraction(tp, tp + fp)))

    def best(recall):
        return max([p for r, p in curve if r >= recall], default=Fraction(0))

    if mode == 'voc07':
        return float(sum(best(Fraction(t, 10)) for t in range(11)) / 11)
    steps = sorted({r for r, _ in curve if r > 0})
    below = [Fraction(0), *steps]
    return float(sum((r - b) * best(r) for r, b in zip(steps, below, strict=False)))


@pytest.mark.parametrize('mode', ['voc07', 'voc10'])
def test_ap_with_misses_equals_the_literal_rule(mode):
    """Random rankings, with ties, ignored images and misses."""
    random = np.random.default_rng(0)
    for _ in range(200):
        n = random.integers(1, 25)
        scores = random.integers(0, 12, n) / 12
        gt, found = random.integers(-1, 2, n), random.random(n) < 0.6
        if (gt == 1).any():
            expected = literal_ap(scores, gt, found, mode)
            got = point_ap(scores, gt, found, mode)
            assert got == pytest.approx(expected, abs=1e-12)
            assert got <= voc_ap(scores, gt, mode) + 1e-12


def test_ap_closed_forms():
    """All found: the classification's AP. None: 0. One of two missed at the top: 1/2 · 1/2."""
    scores, gt = [0.9, 0.8, 0.1], [1, 1, -1]
    assert point_ap(scores, gt, [True, True, False], 'voc10') == voc_ap(scores, gt, 'voc10') == 1
    assert point_ap(scores, gt, [False] * 3, 'voc10') == 0
    assert point_ap(scores, gt, [False, True, False], 'voc10') == 0.25
    assert point_ap(scores, gt, [True, False, False], 'voc10') == 0.5
    assert point_ap(scores, gt, [True, False, False], 'voc07') == pytest.approx(6 / 11)
    assert np.isnan(point_ap(scores, [-1, 0, -1], [True] * 3, 'voc10'))


def test_the_scale_of_the_confidences_does_not_matter():
    """AP and hit rate are the same for any increasing function of the scores."""
    random = np.random.default_rng(1)
    scores, gt, found = random.random(30), random.integers(-1, 2, 30), random.random(30) < 0.5
    assert point_ap(scores, gt, found, 'voc10') == point_ap(np.exp(scores), gt, found, 'voc10')


def test_hit_rate_is_of_positive_images():
    """Negatives and ignored ones do not count."""
    assert hit_rate([1, 1, 0, -1, 1], [True, False, True, True, True]) == pytest.approx(2 / 3)
    assert np.isnan(hit_rate([0, -1], [True, True]))


def make_sample(name, boxes, labels, difficult, scores, peaks, size_hw=(100, 200)):
    """A picture whose class k has one good patch of 20 px around `peaks[k]`."""
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
PICTURES = [
    # cat found, exactly in the middle of the picture; dog missed by far
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


def test_four_pictures_by_hand():
    """AP, hits and centre of each class; difficult objects; the table in the log's units."""
    metric = PointLocalization()
    found = evaluate(metric, [make_sample(*p) for p in PICTURES])
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


def test_what_is_kept_of_a_picture_is_small():
    """No patch score and no map stays behind: memory does not grow with the test set."""
    metric = PointLocalization()
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process(None, [make_sample(*p).to_dict() for p in PICTURES])
    kept = [v for row in metric.results for v in row]
    assert not any(isinstance(v, torch.Tensor) for v in kept)
    assert sum(v.nbytes for v in kept if isinstance(v, np.ndarray)) < 4 * 100


def test_pictures_without_a_class_need_no_map():
    """A negative image is wrong wherever it points: nothing of it is read but its scores."""
    sample = make_sample('n', [], [], [], [0.4, 0.3], [(5, 5), (9, 9)])
    del sample.patch_scores, sample.patch_boxes
    metric = PointLocalization()
    found = evaluate(metric, [make_sample(*PICTURES[0]), sample])
    assert metric.report['images'] == 2 and found['point/hit_rate'] == 50


def test_a_subset_has_its_own_means():
    """subset: further keys, beside the mean of all."""
    metric = PointLocalization(subset=['dog'])
    found = evaluate(metric, [make_sample(*p) for p in PICTURES])
    assert found['point/mAP_subset'] == 25 and found['point/centre_hit_rate_subset'] == 0
    assert metric.report['subset'] == ['dog']


@pytest.mark.parametrize(
    'gone, message',
    [('patch_scores', 'PatchScoresHook'), ('gt_bboxes', 'boxes'), ('ori_shape', 'ori_shape')],
)
def test_what_is_missing_is_named(gone, message):
    """A sample without scores, boxes or size: which, of which picture, what to do."""
    sample = make_sample(*PICTURES[0])
    delattr(sample, gone)
    with pytest.raises(UserError, match=rf'a has no .*{message}'):
        evaluate(PointLocalization(), [sample])


def test_a_class_without_a_box_is_named():
    """Labels of the picture and boxes must tell the same."""
    sample = make_sample(*PICTURES[1])
    sample.gt_bboxes_labels = torch.tensor([1])
    with pytest.raises(UserError, match='b has the class cat but no box'):
        evaluate(PointLocalization(), [sample])
