"""The results of a fit as lines of text: classification, and localization where it was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tcnn_mm.evaluation.chance import chance_aps
from tcnn_mm.evaluation.intervals import APIntervals, Interval
from tcnn_mm.evaluation.without_negatives import meaningless_note, without_negatives


def result_table(
    reports: Sequence[Mapping[str, Any]],
    labels: np.ndarray,
    thresholds: Mapping[str, float],
    images: str = 'test images',
    intervals: APIntervals | None = None,
) -> list[str]:
    """The tables of a test; localization first where an AP of classification says nothing.

    Args:
        reports: Entries of voc_ap.json; the first is of classification.
        labels: (N, K) of {1, 0, -1}, of the test images.
        thresholds: Class → threshold.
        images: What the images are, in words.
        intervals: Of the first report; their values are shown in place of its own.
    """
    classification = classification_lines(reports[0], labels, thresholds, images, intervals)
    tables = [localization_lines(report) for report in reports if 'hit_rate' in report]
    missing = without_negatives(reports[0])
    if not missing:
        return [line for table in (classification, *tables) for line in table]
    note = meaningless_note(missing)
    return [line for table in (*tables, [note], classification) for line in table]


def classification_lines(
    report: Mapping[str, Any],
    labels: np.ndarray,
    thresholds: Mapping[str, float],
    images: str = 'test images',
    intervals: APIntervals | None = None,
) -> list[str]:
    """AP per class, with its interval, beside that of random scores, and the threshold."""
    wide = max(map(len, [*report['classes'], 'class']))
    aps = [percent(row['ap']) for row in (*report['classes'].values(), dict(ap=report['mAP']))]
    title = '    AP %'
    if intervals is not None:
        title += f'  {"95 % interval":>13}'
        aps = [interval_cells(each) for each in (*intervals.classes, intervals.mean)]
    lines = [
        f'{report["metric"]} on {report["images"]} {images}; at random: AP of random scores, '
        'which is high for a common class',
        f'{"class":{wide}}{title}  at random %    images  threshold',
    ]
    chances = chance_aps(labels, report['metric'])
    for (name, row), ap, chance in zip(report['classes'].items(), aps, chances, strict=False):
        lines.append(
            f'{name:{wide}}  {ap}  {100 * chance:11.1f}  {row["positives"]:8d}  '
            f'{thresholds[name]:9.2g}'
        )
    chance = float(np.nanmean(chances)) if np.isfinite(chances).any() else float('nan')
    return [*lines, f'{"mean":{wide}}  {aps[-1]}  {100 * chance:11.1f}']


def interval_cells(found: Interval) -> str:
    """Value and bounds in per cent; a dash for bounds that are not defined."""
    bounds = '–' if np.isnan(found.low) else f'{100 * found.low:.1f} to {100 * found.high:.1f}'
    return f'{percent(found.value)}  {bounds:>13}'


def localization_lines(report: Mapping[str, Any]) -> list[str]:
    """Pointing AP and hit rate per class, each beside the centre of every image as the point."""
    wide = max(map(len, [*report['classes'], 'class']))
    rows = [*report['classes'].items(), ('mean', dict(report, ap=report['mAP']))]
    rows[-1][1]['centre_ap'] = report['centre_mAP']
    return [
        f'localization: the maximum of the map of a class lies in a box of the class, within '
        f'{report["tolerance"]:g} px for AP and {report["hit_tolerance"]:g} px for hits; centre: '
        'the centre of the image instead',
        f'{"class":{wide}}    AP %  centre %  hits %  centre %',
        *(
            f'{name:{wide}}  {percent(row["ap"])}  {percent(row["centre_ap"], 8)}  '
            f'{percent(row["hit_rate"])}  {percent(row["centre_hit_rate"], 8)}'
            for name, row in rows
        ),
    ]


def percent(value: float | None, wide: int = 6) -> str:
    """A fraction as percent; nan where it is not defined."""
    return f'{100 * (float("nan") if value is None else value):{wide}.1f}'
