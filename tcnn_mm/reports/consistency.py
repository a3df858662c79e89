"""Are the results and the scores of a work dir of one test?"""

import numpy as np

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.reports.run_artifacts import RunArtifacts

# Both files hold float64 as text that reads back to the same number.
TOLERANCE = 1e-6
MODES = ('voc07', 'voc10')


def check_one_test(run: RunArtifacts, labels: np.ndarray) -> None:
    """Compare the AP of voc_ap.json with that of image_scores.csv.

    A test that was killed between the two files, a file that was copied or cut, and annotations
    that were edited since the test would give a page of two tests.

    Args:
        run: Its metrics of other names than :data:`MODES` are not compared.
        labels: (N, K) in {1, 0, -1}, in the order of the scores.

    Raises:
        UserError: Names the first class that differs, and both figures.
    """
    if run.scores is None:
        return
    for report in run.reports:
        if report.get('metric') not in MODES:
            continue
        for k, name in enumerate(run.scores.classes):
            stored = report['classes'].get(name)
            if stored is None:  # a metric of some of the classes
                continue
            found = voc_ap(run.scores.values[:, k], labels[:, k], report['metric'])
            there = np.nan if stored['ap'] is None else float(stored['ap'])
            positives = int((labels[:, k] == 1).sum())
            same = np.isclose(found, there, 0, TOLERANCE, equal_nan=True)
            if not same or stored.get('positives', positives) != positives:
                raise UserError(
                    f'{run.path}: the {report["metric"]} AP of {name} is {100 * there:.2f} % in '
                    f'voc_ap.json ({stored.get("positives", "?")} positives), and '
                    f'{100 * found:.2f} % ({positives}) by image_scores.csv and the annotations of '
                    'today: files of two tests, or annotations edited since; test again: tcnn test '
                    'CONFIG CHECKPOINT'
                )
