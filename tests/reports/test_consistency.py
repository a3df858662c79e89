"""A report is of one test: figures of another one are an error."""

import numpy as np
import pytest
from mmengine.config import Config

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.reports.consistency import check_one_test
from tcnn_mm.reports.run_artifacts import RunArtifacts, Scores

LABELS = np.array([[1, -1], [-1, -1], [1, -1], [0, -1], [-1, -1]])
VALUES = np.random.default_rng(0).random(LABELS.shape)


def run(values=VALUES, metrics=('voc07', 'voc10')):
    """Artifacts of a test; the second class has no positive."""
    reports = []
    for metric in metrics:
        mode = metric if metric.startswith('voc') else 'voc10'
        ap = voc_ap(VALUES[:, 0], LABELS[:, 0], mode)
        reports.append(
            dict(metric=metric, classes=dict(a=dict(ap=ap, positives=2), b=dict(ap=None)))
        )
    scores = Scores([str(n) for n in range(len(values))], ['a', 'b'], values)
    return RunArtifacts('work', Config(), None, reports, scores, [], {}, None)


def test_results_and_scores_of_one_test_pass():
    """A class without positives too, and a metric of some of the classes."""
    check_one_test(run(), LABELS)
    part = run()
    del part.reports[0]['classes']['a']
    check_one_test(part, LABELS)
    check_one_test(run()._replace(scores=None), LABELS)
    check_one_test(run(VALUES[::-1], metrics=('point',)), LABELS)


@pytest.mark.parametrize(
    'values, labels',
    [(1 - VALUES, LABELS), (VALUES[1:], LABELS[1:]), (VALUES, -LABELS),
     (VALUES, np.where(np.arange(2) == 1, -LABELS, LABELS))],
    ids=['other scores', 'cut', 'edited labels', 'new positives'],
)  # fmt: skip
def test_files_of_two_tests_are_refused(values, labels):
    """The class and both figures are named."""
    with pytest.raises(UserError, match=r'work: the voc07 AP of [ab] is .*; test again'):
        check_one_test(run(values), labels)
