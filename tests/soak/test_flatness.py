"""A leak is told from noise and from the warm-up."""

import numpy as np
import pytest

from tests.soak.flatness import judge_all, judge_growth

COLUMNS = ('handles', 'threads', 'children', 'shared_mb', 'temporary_files')


def table(n=200, **changes):
    """Rows of a run that is flat but for the given columns."""
    random = np.random.default_rng(0)
    seconds = np.arange(n) * 30.0
    columns = dict(rss_mb=900 + random.normal(0, 3, n), objects=500_000 + random.normal(0, 50, n))
    columns |= {name: np.full(n, 3.0) for name in COLUMNS} | changes
    return [
        dict(seconds=seconds[i], **{name: values[i] for name, values in columns.items()})
        for i in range(n)
    ]


def verdicts(rows):
    """{column: verdict}."""
    return {growth.name: growth.verdict for growth in judge_all(rows)}


def test_noise_and_a_warm_up_are_flat():
    """Memory that varies by 3 MB, and rises in the first tenth alone, does not grow."""
    rise = 900 - 300 * np.exp(-np.arange(200) / 5.0) + np.random.default_rng(1).normal(0, 3, 200)
    assert set(verdicts(table(rss_mb=rise)).values()) == {'flat'}


@pytest.mark.parametrize(
    'column, values',
    [
        ('handles', 8 + 2 * np.arange(200)),  # two per cycle, as Runners left them
        ('handles', 8 + np.arange(200) // 40),  # one in 40 cycles
        ('threads', 2 + np.arange(200) // 90),
        ('children', np.arange(200) // 50),
        ('temporary_files', np.arange(200)),
        ('shared_mb', 0.1 * np.arange(200)),
        ('rss_mb', 900 + 0.3 * np.arange(200) + np.random.default_rng(2).normal(0, 3, 200)),
        ('objects', 500_000 + 2700 * np.arange(200)),
    ],
)
def test_a_leak_is_found(column, values):
    """Whatever grows is named, and nothing else."""
    found = verdicts(table(**{column: values}))
    assert {name for name, verdict in found.items() if verdict == 'grows'} == {column}


def test_an_outlier_changes_nothing():
    """A single sample during a peak of memory."""
    values = np.full(200, 900.0)
    values[150] = 4000
    assert judge_growth('rss_mb', np.arange(200.0), values, 18).verdict == 'flat'


def test_few_noisy_samples_prove_nothing():
    """An interval that holds the limit is no verdict; two samples are an error."""
    values = [900, 960, 890, 950, 930]
    assert judge_growth('rss_mb', range(5), values, 18).verdict == 'undecided'
    with pytest.raises(ValueError, match='2 samples; at least 3'):
        judge_all(table(2))
