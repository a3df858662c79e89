"""Collect the tables and the headline of a report from the entries of voc_ap.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.evaluation.without_negatives import meaningless_note, without_negatives
from tcnn_mm.reports.facts import ClassResult, Intervals, PointRow, PointTable, Results

METRICS = {
    'voc07': 'AP %, 11 points (VOC2007)',
    'voc10': 'AP %, area (VOC2010–12)',
    'voc_action': 'AP % of actions, area',
}


def is_pointing(report: Mapping[str, Any]) -> bool:
    """Whether an entry is of localization by points."""
    return 'hit_rate' in report


def headline(
    reports: Sequence[Mapping[str, Any]], images: str = 'test images'
) -> list[tuple[str, str]]:
    """Mean AP of each metric, hit rate, and number of images; localization perhaps first."""
    boxes, points = [], []
    for report in reports:
        box = (_percent(report['mAP']), f'{report["metric"]} mAP %')
        if is_pointing(report):
            hits = f'hits % (centre: {_percent(report["centre_hit_rate"])})'
            points += [
                (_percent(report['mAP']), f'pointing AP % (centre: '
                 f'{_percent(report["centre_mAP"])})'),
                (_percent(report['hit_rate']), hits),
            ]  # fmt: skip
        else:
            boxes.append(box)
    ordered = points + boxes if points and _meaningless(reports) else boxes + points
    ordered = [box for box in ordered if box[0] != '–']
    return ordered + [(str(report['images']), images) for report in reports[:1]]


def collect_results(
    reports: Sequence[Mapping[str, Any]], intervals: Intervals | None = None, said: str = ''
) -> Results:
    """The entries of voc_ap.json as tables: of classification, and of each pointing metric.

    Args:
        reports: The entries.
        intervals: Of the first metric.
        said: Which images they are of, where they are not those of a test.
    """
    named = [report for report in reports if not is_pointing(report)]
    means, classes = [], []
    if named:
        means.append(('mean', [report['mAP'] for report in named]))
        if 'subset' in named[0]:
            name = f'mean of {", ".join(named[0]["subset"])}'
            means.append((name, [report.get('mAP_subset') for report in named]))
        classes = [
            ClassResult(
                name,
                row['positives'],
                row['difficult'],
                [report['classes'].get(name, {}).get('ap') for report in named],
            )
            for name, row in named[0]['classes'].items()
        ]
    return Results(
        columns=[METRICS.get(each['metric'], f'{each["metric"]} AP %') for each in named],
        classes=classes,
        means=means,
        pointing=[_point_table(report) for report in reports if is_pointing(report)],
        meaningless=_meaningless(reports),
        intervals=intervals,
        said=said,
    )


def _meaningless(reports: Sequence[Mapping[str, Any]]) -> str:
    """Which AP of classification says nothing, in words."""
    for report in reports:
        if not is_pointing(report):
            return meaningless_note(without_negatives(report))
    return ''


def _point_table(report: Mapping[str, Any]) -> PointTable:
    """An entry of a pointing metric as a table."""
    means = [_point_mean('mean', report, '')]
    if 'subset' in report:
        means.append(_point_mean(f'mean of {", ".join(report["subset"])}', report, '_subset'))
    return PointTable(
        report['metric'],
        report['tolerance'],
        report['hit_tolerance'],
        [
            PointRow(
                name,
                row['positives'],
                row['ap'],
                row['centre_ap'],
                row['hit_rate'],
                row['centre_hit_rate'],
            )
            for name, row in report['classes'].items()
        ],
        means,
    )


def _point_mean(name: str, report: Mapping[str, Any], end: str) -> PointRow:
    """A row of means; `end` is '' or '_subset'."""
    keys = ('mAP', 'centre_mAP', 'hit_rate', 'centre_hit_rate')
    return PointRow(name, None, *(report.get(key + end) for key in keys))


def _percent(value: float | None) -> str:
    """A fraction as percent; a dash where it is not defined."""
    return '–' if value is None else f'{100 * value:.1f}'
