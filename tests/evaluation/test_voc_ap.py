"""The registered metric: inputs, report, keys, and company of the toolbox's own metrics."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import VOCDevkitAP
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.registry import METRICS

CLASSES = ('cat', 'dog', 'cow')
# (gt_label, gt_label_difficult, scores): cat ranks + − 0 + − +, as in test_average_precision;
# dog is perfect; cow has a difficult object only.
SIX = [
    ([0, 1], [], [0.9, 0.8, 0.1]),
    ([], [2], [0.8, 0.1, 0.2]),
    ([1], [0], [0.7, 0.9, 0.3]),
    ([0], [0], [0.6, 0.2, 0.4]),
    ([], [], [0.5, 0.3, 0.5]),
    ([0], [], [0.4, 0.4, 0.6]),
]
CAT07 = (4 * 1 + 3 * 2 / 3 + 4 * 3 / 5) / 11
CAT10 = (1 + 2 / 3 + 3 / 5) / 3


def make_samples(rows=SIX, **extra):
    samples = []
    for i, (plain, hard, scores) in enumerate(rows):
        meta = {'img_id': f'{i:06d}', 'gt_label_difficult': hard, **extra}
        sample = DataSample(metainfo=meta)
        sample.set_gt_label(torch.tensor(plain, dtype=torch.int64))
        samples.append(sample.set_pred_score(torch.tensor(scores)))
    return samples


def run(metrics, samples, classes=CLASSES):
    """Two batches through mmengine's evaluator."""
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = {'classes': classes}
    for batch in (samples[:4], samples[4:]):
        evaluator.process(batch)
    return evaluator, evaluator.evaluate(len(samples))


def test_six_images_by_hand():
    """Per cent, under the mode's name; the class without positives is left out of the mean."""
    configs = [{'type': 'tcnn_mm.VOCDevkitAP', 'mode': mode} for mode in ('voc07', 'voc10')]
    _, found = run(configs, make_samples())
    assert found == pytest.approx(
        {'voc07/mAP': 50 * (CAT07 + 1), 'voc10/mAP': 50 * (CAT10 + 1)}, abs=1e-9
    )


def test_report():
    """The entry of voc_ap.json: fractions, counts of images, null without positives."""
    metric = VOCDevkitAP('voc07')
    run(metric, make_samples())
    assert metric.report == {
        'metric': 'voc07',
        'mAP': pytest.approx((CAT07 + 1) / 2),
        'classes': {
            'cat': {'ap': pytest.approx(CAT07), 'positives': 3, 'difficult': 1},
            'dog': {'ap': 1.0, 'positives': 2, 'difficult': 0},
            'cow': {'ap': None, 'positives': 0, 'difficult': 1},
        },
        'images': 6,
    }
    ids, classes, scores = metric.scores
    assert ids == [f'{i:06d}' for i in range(6)] and classes == list(CLASSES)
    # float32 scores are kept as they were.
    assert np.array_equal(scores, np.array([row[2] for row in SIX], np.float32))


def test_beside_mmpretrains_metrics():
    """In one evaluator list with VOCAveragePrecision and VOCMultiLabelMetric, all undisturbed."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(40):
        here = np.flatnonzero(random.random(3) < 0.5).tolist()
        hard = np.flatnonzero(random.random(3) < 0.3).tolist()
        rows.append((here, hard, random.random(3).astype(np.float32).tolist()))
    ours = [{'type': 'tcnn_mm.VOCDevkitAP', 'mode': mode} for mode in ('voc07', 'voc10')]
    theirs = [{'type': 'VOCAveragePrecision'}, {'type': 'VOCMultiLabelMetric'}]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        _, together = run(theirs[:1] + ours + theirs[1:], make_samples(rows))
        _, alone = run(ours, make_samples(rows))
        _, others = run(theirs, make_samples(rows))
    assert together == {**alone, **others} and len(together) == 6
    labels = np.array([image_labels(plain, hard, 3) for plain, hard, _ in rows])
    scores = np.array([row[2] for row in rows])
    expected = [voc_ap(scores[:, k], labels[:, k], 'voc10') for k in range(3)]
    assert together['voc10/mAP'] == pytest.approx(100 * np.mean(expected))


def test_subset():
    """The mean over the named classes is one more key, and one more line of the report."""
    metric = VOCDevkitAP('voc07', subset=['dog', 'cow'])
    _, found = run(metric, make_samples())
    assert found == pytest.approx({'voc07/mAP': 50 * (CAT07 + 1), 'voc07/mAP_subset': 100.0})
    assert metric.report['mAP_subset'] == 1 and metric.report['subset'] == ['dog', 'cow']


def test_subset_of_unknown_names():
    """Before the first batch, with both lists of names."""
    with pytest.raises(UserError, match='unknown classes: horse; the data set has cat, dog, cow'):
        run(VOCDevkitAP('voc07', subset=['dog', 'horse']), make_samples())


def test_no_class_has_positives():
    """The mean is nan in the toolbox and null in the report, not an error."""
    metric = VOCDevkitAP('voc10')
    _, found = run(metric, make_samples([([], [0], [0.1, 0.2, 0.3])]))
    assert np.isnan(found['voc10/mAP']) and metric.report['mAP'] is None


def test_difficult_may_be_absent_and_of_any_kind():
    """No `gt_label_difficult` means none; lists, sets, arrays and tensors mean the same."""
    rows = [([0], [1], [0.5, 0.9, 0.1]), ([1], [], [0.6, 0.3, 0.1])]
    found = []
    for kind in (list, set, np.array, torch.tensor):
        samples = make_samples(rows)
        for sample, row in zip(samples, rows, strict=True):
            sample.set_field(kind(row[1]), 'gt_label_difficult', field_type='metainfo')
        found.append(run(VOCDevkitAP('voc10'), samples)[1]['voc10/mAP'])
    assert found == [75.0] * 4
    samples = make_samples(rows)
    for sample in samples:
        del sample.gt_label_difficult
    assert run(VOCDevkitAP('voc10'), samples)[1]['voc10/mAP'] == 50.0


def test_ids():
    """img_id, else the image's name; twice the same id stays two rows, in order."""
    samples = make_samples(SIX[:3], img_path='/some/where/000012.jpg')
    del samples[1].img_id
    samples[2].set_metainfo({'img_id': 7})
    metric = VOCDevkitAP('voc07')
    run(metric, [*samples, samples[0]])
    assert metric.scores[0] == ['000000', '000012', '7', '000000']
    assert metric.report['images'] == 4


def test_half_precision_scores():
    """bfloat16 scores, which numpy does not know, are read exactly."""
    sample = make_samples(SIX[:1])[0]
    sample.set_field(torch.tensor([0.5, 0.25, 0.125], dtype=torch.bfloat16), 'pred_score')
    metric = VOCDevkitAP('voc07')
    run(metric, [sample])
    assert metric.scores[2].tolist() == [[0.5, 0.25, 0.125]]


def test_second_epoch_starts_anew():
    """Results of one evaluation do not leak into the next."""
    metric = VOCDevkitAP('voc07')
    run(metric, make_samples())
    run(metric, make_samples(SIX[:2]))
    assert metric.report['images'] == 2


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('pred_score', None, '000001 has no pred_score'),
        ('gt_label', None, '000001 has no gt_label'),
        ('pred_score', torch.zeros(4), r'\(4,\), the data set has 3 classes \(background'),
        ('img_id', None, 'neither img_id nor img_path'),
    ],
)
def test_samples_that_do_not_fit(key, value, message):
    """The error names the image and what it lacks."""
    samples = [sample.to_dict() for sample in make_samples()]
    if value is None:
        del samples[1][key]
    else:
        samples[1][key] = value
    with pytest.raises(UserError, match=message):
        run(VOCDevkitAP('voc07'), samples)


def test_nan_scores():
    """A diverged model is an error, with the image's name, and not a low AP."""
    rows = [SIX[0], ([0], [], [0.5, float('nan'), 0.1])]
    with pytest.raises(ValueError, match='pred_score of 000001 has NaN'):
        run(VOCDevkitAP('voc07'), make_samples(rows))


def test_data_set_without_classes():
    """The table needs names."""
    with pytest.raises(UserError, match='names no classes'):
        run(VOCDevkitAP('voc07'), make_samples(), classes=None)


def test_secret_annotations():
    """A split without annotations is no split without positives: AP is refused, with a way out."""
    evaluator = Evaluator([VOCDevkitAP('voc10')])
    evaluator.dataset_meta = {'classes': CLASSES, 'annotated': False}
    with pytest.raises(UserError, match='secret, so there is no AP.*VOCSubmission.*--server'):
        evaluator.process(make_samples())


def test_mode():
    """Any other mode is refused when the metric is built."""
    with pytest.raises(ValueError, match="mode='area'; choose 'voc07'"):
        METRICS.build({'type': 'tcnn_mm.VOCDevkitAP', 'mode': 'area'})
