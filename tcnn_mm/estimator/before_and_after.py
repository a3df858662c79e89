"""The classes of an earlier fit before and after images were added, on the images that both tested.

Letters: N images, K classes.
"""

import json
import os.path as osp

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.errors import UserError
from tcnn_mm.reports.comparison import (
    Comparison,
    ScoredRun,
    compare_tests,
    comparison_json,
    comparison_lines,
    read_test,
)
from tcnn_mm.reports.run_artifacts import Scores

# In the folder of a fit.
FILE = 'before_and_after.json'


def before_and_after(earlier: str, out: str, tested: bool) -> list[str]:
    """Compare the tests of two fits; write OUT/before_and_after.json.

    Args:
        earlier: Folder of the fit that was gone on from.
        out: Of the one that went on.
        tested: There are images for test alone; else the held-out scores are compared.

    Returns:
        The comparison as a table.
    """
    runs = [osp.join(folder, 'run' if tested else 'folds') for folder in (earlier, out)]
    try:
        before, after = map(read_test, runs)
        found = compare_common(before, after)
    except UserError as error:
        return [f'before and after: not compared: {error}']
    with atomic_write(osp.join(out, FILE)) as file:
        json.dump(comparison_json(found), file, indent=2, allow_nan=False)
    return ['Before and after, on the images that both scored:', *comparison_lines(found)]


def compare_common(before: ScoredRun, after: ScoredRun, metric: str = 'voc10') -> Comparison:
    """Compare two tests on the images and the classes that both have, by the later labels.

    Raises:
        UserError: No image, or no class, is in both.
    """
    later = set(after.scores.ids)
    ids = [key for key in before.scores.ids if key in later]
    classes = [name for name in before.scores.classes if name in after.scores.classes]
    if not ids or not classes:
        raise UserError('the two tests have no image or no class in common')
    labels = _part(after, after.labels, ids, classes)
    both = [
        ScoredRun(
            run.name, Scores(ids, classes, _part(run, run.scores.values, ids, classes)), labels
        )
        for run in (before, after)
    ]
    return compare_tests(both, metric)


def _part(run: ScoredRun, table: np.ndarray, ids: list[str], classes: list[str]) -> np.ndarray:
    """Rows and columns of a table (N, K) of a run."""
    row = {key: n for n, key in enumerate(run.scores.ids)}
    column = {name: k for k, name in enumerate(run.scores.classes)}
    return table[np.ix_([row[key] for key in ids], [column[name] for name in classes])]
