"""The AP of each class as an entry of voc_ap.json, and as a table.

Letters: N images (or persons), K classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.evaluation.score_table import or_none, percent


def ap_report(
    metric: str,
    classes: Sequence[str],
    scores: np.ndarray,
    labels: np.ndarray,
    mode: str,
    subset: Sequence[str] = (),
) -> dict[str, Any]:
    """Compute an entry of voc_ap.json, in fractions; None for a class without positives.

    Args:
        metric: Name of the metric.
        classes: K names.
        scores: (N, K).
        labels: (N, K) of {1, 0, -1}.
        mode: 'voc07' or 'voc10'.
        subset: Classes whose mean is reported too.

    Returns:
        metric, mAP (and mAP_subset), classes, images (and subset).
    """
    aps = {name: voc_ap(scores[:, k], labels[:, k], mode) for k, name in enumerate(classes)}
    means = {'mAP': mean_ap(aps.values())}
    if subset:
        means['mAP_subset'] = mean_ap(aps[name] for name in subset)
    report: dict[str, Any] = {
        'metric': metric,
        **{key: or_none(value) for key, value in means.items()},
        'classes': {
            name: {
                'ap': or_none(aps[name]),
                'positives': int((labels[:, k] == 1).sum()),
                'difficult': int((labels[:, k] == 0).sum()),
            }
            for k, name in enumerate(classes)
        },
        'images': len(scores),
    }
    if subset:
        report['subset'] = list(subset)
    return report


def ap_table(report: dict[str, Any], title: str) -> str:
    """Format an :func:`ap_report` as aligned lines, in per cent."""
    rows = report['classes']
    wide = max(map(len, [*rows, 'class']))
    persons = f'{report["persons"]} persons of ' if 'persons' in report else ''
    lines = [
        f'{title}: {persons}{report["images"]} images',
        f'{"class":{wide}}    AP %  positives  difficult',
    ]
    lines += [
        f'{name:{wide}}  {percent(row["ap"]):>6}  {row["positives"]:9d}  {row["difficult"]:9d}'
        for name, row in rows.items()
    ]
    counted = sum(row['ap'] is not None for row in rows.values())
    lines.append(
        f'mAP {percent(report["mAP"])} over the {counted} of {len(rows)} classes that have '
        'positives'
    )
    if 'subset' in report:
        lines.append(f'mAP {percent(report["mAP_subset"])} over {", ".join(report["subset"])}')
    return '\n'.join(lines)
