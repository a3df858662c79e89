"""Classes that every test image has: their AP is 100 % for any scores."""

from collections.abc import Mapping, Sequence
from typing import Any

# Classes that the note lists.
MOST_NAMED = 12


def without_negatives(report: Mapping[str, Any]) -> list[str]:
    """Return the classes for which no image is negative.

    Args:
        report: An entry of voc_ap.json. Images with a class only as difficult objects are neither
            positive nor negative for it.
    """
    rows = report['classes'].items()
    images = report.get('persons', report['images'])
    return [
        name
        for name, row in rows
        if row.get('positives') and row['positives'] + row.get('difficult', 0) >= images
    ]


def meaningless_note(classes: Sequence[str]) -> str:
    """Say of the classes without negatives that their AP says nothing; '' without any.

    Args:
        classes: Of :func:`without_negatives`.
    """
    if not classes:
        return ''
    which = ', '.join(classes) if len(classes) <= MOST_NAMED else f'{len(classes)} classes'
    return (
        f'Every test image has {which}: the AP of classification is then 100 % for any scores and '
        'says nothing about the classifier. Look at localization, or test on images without the '
        'class too.'
    )
