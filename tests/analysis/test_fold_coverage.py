"""Coverage of cross-validated intervals: draws are tested on all other images; it goes on."""

import json

import numpy as np
import pytest

from tcnn_mm.analysis.fold_coverage import coverage_lines, fold_coverage, interval_rows
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.intervals import APIntervals, Interval
from tests.support.own_data import write_voc


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Two epochs, in this process."""
    monkeypatch.setattr('tcnn_mm.analysis.draws.epochs_for', lambda rows, weak: 2)
    monkeypatch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)


@pytest.mark.slow
def test_draws_are_measured_once(tmp_path):
    """Each draw has its record; a second call adds what is missing; too many images are refused."""
    root, out = str(write_voc(tmp_path / 'data', count=14)), tmp_path / 'out'
    first = fold_coverage(root, 'minivoc', str(out), images=8, draws=1, folds=2)
    both = fold_coverage(root, 'minivoc', str(out), images=8, draws=2, folds=2)
    assert both[0] == first[0] and both[1] != both[0]
    assert [record['seed'] for record in both] == [0, 1] and both[0]['tested'] == 6
    assert json.loads((out / 'coverage.json').read_text()) == both
    assert not list((out / 'draws').iterdir())
    with pytest.raises(UserError, match='14 of 14 images cannot be drawn; give fewer'):
        fold_coverage(root, 'minivoc', str(out), images=14)


def test_a_class_that_the_draw_lacks_is_in_neither_mean():
    """Both means are over the classes with an interval; the row of the other has its AP alone."""
    known, unknown = Interval(0.8, 0.7, 0.9), Interval(np.nan, np.nan, np.nan)
    rows = interval_rows(['a', 'b'], APIntervals([known, unknown], known), np.array([0.85, 0.1]))
    assert rows['mean'] == dict(ap=0.8, low=0.7, high=0.9, test=0.85)
    assert rows['classes']['b'] == dict(ap=None, low=None, high=None, test=0.1)


def test_the_table_counts_what_is_covered():
    """Bounds that meet the test's AP; a class without an AP in either counts for nothing."""
    covered = dict(ap=0.8, low=0.7, high=0.9, test=0.85)
    missed, unknown = dict(covered, test=0.95), dict(covered, low=None)
    records = [
        dict(seed=0, mean=covered, classes=dict(a=covered, b=unknown)),
        dict(seed=1, mean=missed, classes=dict(a=missed, b=covered)),
    ]
    lines = coverage_lines(records)
    assert lines[1].split() == ['0', '80.0', '70.0', '90.0', '85.0']
    assert lines[-2] == (
        'mean AP: 1 of 2 intervals cover the test; cross-validated minus test -10.0 on average'
    )
    assert lines[-1] == 'AP of a class: 2 of 3'
