"""AP against a literal port of the devkit's MATLAB, on random, tied and degenerate cases."""

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.evaluation.average_precision import (
    MODES,
    class_aps,
    mean_ap,
    precision_recall,
    voc_ap,
)


def devkit_labels(objects, num_classes):
    """Class files, as the devkit derives them: `objects` is a list of (class, difficult)."""
    labels = []
    for k in range(num_classes):
        mine = [difficult for c, difficult in objects if c == k]
        labels.append(-1 if not mine else 0 if all(mine) else 1)
    return labels


def devkit_ap(out, gt, mode):
    """VOCevalcls.m and VOCap.m, loop by loop, in rational numbers.

    None stands for MATLAB's nan of 0/0, which its `max` passes over.
    """
    si = sorted(range(len(out)), key=lambda i: -out[i])
    tp = fp = 0
    npos = sum(g > 0 for g in gt)
    if not npos:
        return None
    rec, prec = [], []
    for i in si:
        tp += gt[i] > 0
        fp += gt[i] < 0
        rec.append(Fraction(int(tp), npos))
        prec.append(Fraction(int(tp), int(tp + fp)) if tp + fp else None)
    if mode == 'voc07':
        ap = Fraction(0)
        for t in range(11):
            p = Fraction(0)
            for r, q in zip(rec, prec, strict=True):
                if r >= Fraction(t, 10) and q is not None and q > p:
                    p = q
            ap += p / 11
        return float(ap)
    mrec = [Fraction(0), *rec, Fraction(1)]
    mpre = [Fraction(0), *prec, Fraction(0)]
    for i in range(len(mpre) - 2, -1, -1):
        if mpre[i] is None or mpre[i + 1] > mpre[i]:
            mpre[i] = mpre[i + 1]
    ap = Fraction(0)
    for i in range(1, len(mrec)):
        if mrec[i] != mrec[i - 1]:
            ap += (mrec[i] - mrec[i - 1]) * mpre[i]
    return float(ap)


def random_case(random, kind):
    """Objects of each image and scores (N, K)."""
    num_classes = 1 if kind == 'one class' else int(random.integers(2, 6))
    n = int(random.integers(1, 60))
    present = random.uniform(0.05, 0.8, num_classes)
    if kind == 'absent class':
        present[random.integers(num_classes)] = 0
    difficult = {'all difficult': 1.0, 'both kinds': 0.5}.get(kind, 0.2)
    objects = []
    for _ in range(n):
        here = np.flatnonzero(random.random(num_classes) < present)
        here = np.repeat(here, random.integers(1, 4))
        objects.append([(int(k), bool(random.random() < difficult)) for k in here])
    scores = random.random((n, num_classes))
    if kind == 'ties':
        scores = np.round(scores * 4) / 4
    if kind == 'all tied':
        scores[:, 0] = 0.5
    return objects, scores


@pytest.mark.parametrize(
    'kind',
    ['plain', 'ties', 'all tied', 'one class', 'both kinds', 'absent class', 'all difficult'],
)
def test_equals_the_devkit(kind):
    """Labels are the devkit's, AP is its AP within 1e-9, nan where it divides by zero."""
    for seed in range(45):
        objects, scores = random_case(np.random.default_rng(seed), kind)
        num_classes = scores.shape[1]
        labels = []
        for row in objects:
            plain = {k for k, difficult in row if not difficult}
            hard = {k for k, difficult in row if difficult}
            labels.append(image_labels(plain, hard, num_classes))
        assert [x.tolist() for x in labels] == [devkit_labels(x, num_classes) for x in objects]
        labels = np.array(labels)
        for k in range(num_classes):
            for mode in MODES:
                expected = devkit_ap(scores[:, k].tolist(), labels[:, k].tolist(), mode)
                found = voc_ap(scores[:, k], labels[:, k], mode)
                if expected is None:
                    assert np.isnan(found)
                else:
                    assert found == pytest.approx(expected, abs=1e-9, rel=0)


# Ranking +, −, 0, +, −, +: precision 1, 1/2, 1/2, 2/3, 1/2, 3/5 at recall 1/3, …, 2/3, …, 1.
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
GT = [1, -1, 0, 1, -1, 1]


def test_six_images_by_hand():
    """Four points see 1, three see 2/3, four see 3/5; the area has a third of each."""
    assert voc_ap(SCORES, GT, 'voc07') == pytest.approx((4 * 1 + 3 * 2 / 3 + 4 * 3 / 5) / 11)
    assert voc_ap(SCORES, GT, 'voc10') == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)


def test_thresholds_are_exact():
    """Recall 3/10, 6/10 and 7/10 reach their thresholds, which 0.1 * t in floats misses."""
    gt = np.array([1] * 3 + [-1] + [1] * 3 + [-1] * 2 + [1] + [-1] * 3 + [1] * 3)
    scores = -np.arange(len(gt))
    found = voc_ap(scores, gt, 'voc07')
    assert found == pytest.approx(devkit_ap(scores.tolist(), gt.tolist(), 'voc07'), abs=1e-12)
    recall = np.cumsum(gt > 0) / 10
    precision = np.cumsum(gt > 0) / np.arange(1, len(gt) + 1)
    in_floats = np.mean([precision[recall >= 0.1 * t].max() for t in range(11)])
    assert abs(found - in_floats) > 0.03


def test_ties_keep_their_order():
    """All-equal scores rank in the order of the data set, on long columns too."""
    gt = np.array([1, 1, -1, -1] * 50)
    assert voc_ap(np.zeros(200), gt, 'voc10') == voc_ap(-np.arange(200), gt, 'voc10')
    assert voc_ap([0, 0], [1, -1], 'voc10') == 1
    assert voc_ap([0, 0], [-1, 1], 'voc10') == 0.5


def test_ignored_images_change_nothing():
    """Deleting the images of label 0 leaves AP as it is."""
    random = np.random.default_rng(0)
    scores, gt = random.random(80), random.integers(-1, 2, 80)
    keep = gt != 0
    for mode in MODES:
        assert voc_ap(scores, gt, mode) == voc_ap(scores[keep], gt[keep], mode)


def test_infinite_scores_rank_at_the_ends():
    """An image without a result counts as -inf, as in the devkit."""
    assert voc_ap([np.inf, 0.0, -np.inf], [1, -1, 1], 'voc10') == pytest.approx((1 + 2 / 3) / 2)


FAST = settings(max_examples=50, deadline=None, derandomize=True)
RANKING = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([1, 0, -1])), min_size=1, max_size=40
)


def columns(ranking):
    scores, gt = np.array(ranking).T
    return scores / 8, gt


@FAST
@given(RANKING, st.sampled_from(MODES), st.sampled_from([np.exp, np.sqrt, lambda s: 3 * s - 7]))
def test_increasing_functions_of_the_scores_change_nothing(ranking, mode, function):
    """AP reads the order alone: the same bits for every increasing function, ties included."""
    scores, gt = columns(ranking)
    ap = voc_ap(scores, gt, mode)
    assert np.array_equal(voc_ap(function(scores), gt, mode), ap, equal_nan=True)
    assert np.isnan(ap) if not (gt > 0).any() else 0 < ap <= 1


@FAST
@given(RANKING, st.sampled_from(MODES), st.integers(1, 5))
def test_images_below_the_last_positive_do_not_count(ranking, mode, count):
    """Further negatives at the end of the ranking leave AP as it is; at its start they lower it."""
    scores, gt = columns(ranking)
    more = np.append(gt, [-1] * count)
    ap = voc_ap(scores, gt, mode)
    assert np.array_equal(voc_ap(np.append(scores, [-1] * count), more, mode), ap, equal_nan=True)
    if (gt > 0).any():
        assert voc_ap(np.append(scores, [2] * count), more, mode) < ap


@FAST
@given(RANKING, st.sampled_from(MODES))
def test_the_best_and_the_worst_ranking_have_closed_forms(ranking, mode):
    """All positives first: AP 1. All last, after m negatives: best precision n / (n + m)."""
    _, gt = columns(ranking)
    n, m = (gt > 0).sum(), (gt < 0).sum()
    if n:
        assert voc_ap(gt, gt, mode) == 1
        assert voc_ap(-gt, gt, mode) == pytest.approx(n / (n + m))


def test_class_aps_are_those_of_the_columns():
    """One AP per class, nan without positives."""
    scores, labels = np.array([[3, 1], [2, 2]]), np.array([[1, -1], [-1, -1]])
    assert class_aps(scores, labels, 'voc10').tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]


def test_precision_recall_steps():
    """One step an image; nothing seen yet is precision 0, not nan."""
    tp, precision = precision_recall([3, 2, 1], [0, -1, 1])
    assert tp.tolist() == [0, 0, 1]
    assert precision.tolist() == [0, 0, 0.5]


def test_no_positives_is_nan_and_left_out():
    """Neither an absent nor an all-difficult class has an AP, and the mean skips both."""
    for gt in ([-1, -1], [0, 0], [0, -1]):
        assert np.isnan(voc_ap([0.1, 0.2], gt, 'voc07'))
    assert np.isnan(voc_ap([], [], 'voc10'))
    assert mean_ap([0.5, float('nan'), 1.0]) == 0.75
    assert np.isnan(mean_ap([float('nan')])) and np.isnan(mean_ap([]))


@pytest.mark.parametrize(
    'call, message',
    [
        (lambda: voc_ap([0.1, float('nan')], [1, -1], 'voc07'), 'NaN'),
        (lambda: voc_ap([0.1], [1], 'voc12'), 'voc12'),
        (lambda: voc_ap([0.1], [2], 'voc07'), r'1, 0 or -1, found \[2\]'),
        (lambda: voc_ap([0.1, 0.2], [1], 'voc07'), r'\(2,\)'),
        (lambda: image_labels([3], [], 3), '3 is outside'),
        (lambda: image_labels([], [-1], 3), '-1 is outside'),
    ],
)
def test_bad_arguments(call, message):
    """Each is a ValueError that says what was wrong."""
    with pytest.raises(ValueError, match=message):
        call()


def test_inputs_are_not_changed():
    """Scores and labels come back as they were."""
    scores, gt = np.array(SCORES), np.array(GT)
    voc_ap(scores, gt, 'voc07')
    assert scores.tolist() == SCORES and gt.tolist() == GT


@pytest.mark.real
def test_labels_of_the_official_class_files():
    """On genuine VOC2007, labels from the XML equal ImageSets/Main/<class>_test.txt."""
    folder = os.path.join(os.environ.get('TCNN_DATA', ''), 'VOCdevkit', 'VOC2007')
    if not os.path.isdir(folder):
        pytest.skip('needs VOC2007 below TCNN_DATA')
    from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
    from tcnn_mm.datasets.voc import VOC_CLASSES

    read = {}
    for k, name in enumerate(VOC_CLASSES):
        with open(os.path.join(folder, 'ImageSets', 'Main', f'{name}_test.txt')) as file:
            for image_id, label in (line.split() for line in file):
                if image_id not in read:
                    path = os.path.join(folder, 'Annotations', f'{image_id}.xml')
                    objects = parse_voc_xml(path)['objects']
                    sets = [
                        [VOC_CLASSES.index(o['name']) for o in objects if o['difficult'] == flag]
                        for flag in (False, True)
                    ]
                    read[image_id] = image_labels(*sets, len(VOC_CLASSES))
                assert read[image_id][k] == int(label), (image_id, name)
