"""AP of actions: keys, classes and counts, against the devkit's arithmetic."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.voc_action import ACTIONS, OTHER
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import VOCActionAP

CLASSES = ('jumping', 'phoning', 'other')
# (image, number, actions, scores): jumping ranks + − + −.
FOUR = [
    ('a', 1, [0], [0.9, 0.1, 0.0]),
    ('a', 3, [2], [0.8, 0.2, 0.0]),
    ('b', 1, [0, 1], [0.7, 0.3, 0.0]),
    ('c', 2, [], [0.6, 0.4, 0.0]),
]


def make_samples(rows=FOUR):
    samples = []
    for image_id, number, actions, scores in rows:
        sample = DataSample(metainfo=dict(img_id=image_id, object_index=number))
        sample.set_gt_label(torch.tensor(actions, dtype=torch.int64))
        samples.append(sample.set_pred_score(torch.tensor(scores, dtype=torch.float64)))
    return samples


def run(metrics, samples, classes=CLASSES, **meta):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=classes, **meta)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_four_persons_by_hand():
    """Precision 1, 2/3 at the two who jump; 1/2 at the one who phones; `other` is not scored."""
    metric = VOCActionAP()
    jumping, phoning = (1 + 2 / 3) / 2, 1 / 2
    found = run(metric, make_samples())
    assert found == {'voc_action/mAP': pytest.approx(50 * (jumping + phoning))}
    assert metric.report == {
        'metric': 'voc_action',
        'mAP': pytest.approx((jumping + phoning) / 2),
        'classes': {
            'jumping': {'ap': pytest.approx(jumping), 'positives': 2, 'difficult': 0},
            'phoning': {'ap': pytest.approx(phoning), 'positives': 1, 'difficult': 0},
        },
        'images': 3,
        'persons': 4,
    }
    ids, classes, scores = metric.scores
    assert ids == ['a/1', 'a/3', 'b/1', 'c/2'] and classes == list(CLASSES)
    assert scores.tolist() == [row[3] for row in FOUR]


def test_equals_the_devkit(tmp_path):
    """Random persons, ties and all: each class within 1e-9 of VOCevalaction.m on files."""
    from tests.support.devkit import evaluate

    random = np.random.default_rng(0)
    for _ in range(10):
        rows = []
        for i in range(60):
            actions = np.flatnonzero(random.random(10) < 0.15).tolist() or [10]
            scores = np.round(random.random(11), 1 + random.integers(2) * 5)
            rows.append((f'{i // 2:04d}', i % 2 + 1, actions, scores.tolist()))
        metric = VOCActionAP()
        run(metric, make_samples(rows), (*ACTIONS, OTHER))
        assert list(metric.report['classes']) == list(ACTIONS)
        for k, name in enumerate(ACTIONS):
            gt = [f'{i} {n} {1 if k in actions else -1}\n' for i, n, actions, _ in rows]
            (tmp_path / 'gt.txt').write_text(''.join(gt))
            out = [f'{i} {n} {scores[k]!r}\n' for i, n, _, scores in rows]
            (tmp_path / 'out.txt').write_text(''.join(out))
            expected = evaluate(tmp_path / 'gt.txt', tmp_path / 'out.txt')
            found = metric.report['classes'][name]['ap']
            assert found == pytest.approx(expected, abs=1e-9, rel=0)


def test_what_does_not_fit():
    """Images instead of persons, a person twice, secret actions: errors that name it."""
    samples = make_samples()
    del samples[0].object_index
    with pytest.raises(UserError, match="a has no object_index.*view='person'"):
        run(VOCActionAP(), samples)
    with pytest.raises(UserError, match='duplicate person a/1'):
        run(VOCActionAP(), make_samples([FOUR[0], FOUR[0]]))
    with pytest.raises(UserError, match='secret, so there is no AP.*VOCSubmission'):
        run(VOCActionAP(), make_samples(), annotated=False)
