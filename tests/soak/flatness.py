"""Judge whether a resource of a long run stays flat: pure functions over a table of samples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import theilslopes

# Growth over the run from which on it counts: of memory and objects as a share of the median, of
# what is counted in ones in ones.
SHARES = dict(rss_mb=0.02, objects=0.01)
COUNTS = dict(handles=0.5, threads=0.5, children=0.5, shared_mb=0.5, temporary_files=0.5)


class Growth(NamedTuple):
    """Growth of one resource over the samples after the warm-up.

    Attributes:
        name (str): The column.
        median (float): Of the samples.
        growth (float): Slope × duration, in the unit of the column.
        low, high (float): Its 95 % confidence interval.
        limit (float): Growth from which on it counts.
        verdict (str): 'flat' (the interval ends below the limit), 'grows' (it begins above) or
            'undecided' (too few or too noisy samples).
    """

    name: str
    median: float
    growth: float
    low: float
    high: float
    limit: float
    verdict: str


def judge_growth(
    name: str, seconds: Sequence[float], values: Sequence[float], limit: float
) -> Growth:
    """Fit the slope by Theil and Sen: the median of the slopes of all pairs, whatever outliers are.

    Args:
        name: The column.
        seconds: (n,) of the samples, n ≥ 3.
        values: (n,) of the column.
        limit: Growth over the run from which on it counts.
    """
    x, y = np.asarray(seconds, float), np.asarray(values, float)
    slope, _, low, high = theilslopes(y, x, alpha=0.95)
    growth, low, high = (float(each * (x[-1] - x[0])) for each in (slope, low, high))
    verdict = 'flat' if high <= limit else 'grows' if low > limit else 'undecided'
    return Growth(name, float(np.median(y)), growth, low, high, limit, verdict)


def judge_all(rows: Sequence[dict[str, float]], warm_up: float = 0.2) -> list[Growth]:
    """Judge every resource of a table.

    Args:
        rows: {column: value} per sample, in order of time.
        warm_up: Share of the rows that are left out at the beginning.

    Raises:
        ValueError: Fewer than 3 rows are left.
    """
    kept = rows[int(len(rows) * warm_up) :]
    if len(kept) < 3:
        raise ValueError(f'{len(rows)} samples; at least 3 after the warm-up are needed')
    seconds = [row['seconds'] for row in kept]
    found = []
    for name in [*SHARES, *COUNTS]:
        values = [row[name] for row in kept]
        limit = SHARES[name] * float(np.median(values)) if name in SHARES else COUNTS[name]
        found.append(judge_growth(name, seconds, values, limit))
    return found
