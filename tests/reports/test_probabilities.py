"""Intervals and probabilities of a report: of the test's own scores and labels."""

import re
import shutil

import numpy as np
import pytest

from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.evaluation.calibration import calibrate_classes, class_probabilities, reliability
from tcnn_mm.evaluation.intervals import ap_intervals, resample
from tcnn_mm.reports.comparison import read_test
from tcnn_mm.reports.examples import read_test_images
from tcnn_mm.reports.probabilities import collect_intervals, collect_probabilities
from tcnn_mm.reports.run_artifacts import read_run_artifacts


@pytest.fixture
def calibrated(trained_run, tmp_path):
    """A run whose checkpoint is calibrated for all classes but the first."""
    folder = tmp_path / 'run'
    shutil.copytree(trained_run.folder, folder)
    test = read_test(str(folder))
    curves = [None, *calibrate_classes(test.scores.values, test.labels)[1:]]
    table = dict(zip(test.scores.classes, curves, strict=True))
    store_thresholds(folder / 'epoch_2.pth', dict.fromkeys(table, 0.5), 'val', table)
    run = read_run_artifacts(folder)
    return run._replace(checkpoint=str(folder / 'epoch_2.pth')), test, curves


def test_the_error_is_that_of_the_calibrated_classes(calibrated):
    """Images × classes with a curve, written one after the other; the others are counted."""
    run, test, curves = calibrated
    found = collect_probabilities(run, read_test_images(run.config, run.scores), '')
    known = [k for k, curve in enumerate(curves) if curve is not None]
    assert known and len(known) < len(curves)
    p = class_probabilities(test.scores.values, curves)[:, known]
    expected = reliability(p.ravel(), test.labels[:, known].ravel()).error
    (figure,) = found.figures
    assert f'12 test images, {len(known)} classes ({len(curves) - len(known)} have no' in (
        figure.caption
    )
    assert re.search(r'error\) ([\d.]+) %', figure.caption)[1] == f'{100 * expected:.1f}'


def test_what_is_missing_is_a_note(calibrated, trained_run):
    """No labels, no checkpoint, no calibration, a file that is none: why, in the figure's place."""
    run, _, _ = calibrated
    images = read_test_images(run.config, run.scores)
    assert collect_probabilities(run, None, 'no labels').note == 'no labels'
    assert 'no checkpoint' in collect_probabilities(run._replace(checkpoint=None), images, '').note
    plain = run._replace(checkpoint=str(trained_run.folder / 'epoch_2.pth'))
    assert 'no calibration' in collect_probabilities(plain, images, '').note
    lost = run._replace(checkpoint='none.pth')
    assert 'could not be read' in collect_probabilities(lost, images, '').note


def test_intervals_are_those_of_the_first_metric(calibrated):
    """By the name of the class, with those of the mean; none for a metric without ranking."""
    run, test, _ = calibrated
    images = read_test_images(run.config, run.scores)
    found = collect_intervals(run, images)
    expected = ap_intervals(resample(test.scores.values, test.labels, run.reports[0]['metric']))
    assert found.metric == run.reports[0]['metric']
    assert found.mean == expected.mean[1:]
    for name, each in zip(test.scores.classes, expected.classes, strict=True):
        shown = found.classes[name]
        assert (shown is None) == np.isnan(each.low) and (shown is None or shown == each[1:])
    pointing = run._replace(reports=[dict(run.reports[0], metric='point')])
    assert collect_intervals(pointing, images) is None and collect_intervals(run, None) is None
