"""Write suggestions: page, table, list of paths, and pre-labels for the labelling tool."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.labelling.label_studio import (
    choices,
    prediction,
    rectangle,
    served_root,
    task,
    write_interface,
    write_tasks,
)
from tcnn_mm.labelling.suggest_page import suggestion_page
from tcnn_mm.labelling.suggest_source import Source
from tcnn_mm.labelling.suggest_table import Suggestion, reason, write_list, write_table

PAGE, TABLE, LIST = 'suggestions.html', 'suggestions.csv', 'suggestions.txt'
TASKS = ('label_studio.json', 'label_studio.xml')
MODEL = 'tcnn suggest'


def tasks(
    suggestions: Sequence[Suggestion],
    classes: Sequence[str],
    boxes: bool,
    labelled: int,
    images: str,
) -> list[dict[str, Any]]:
    """One task of Label Studio per image, with the labels that are likely as predictions.

    Args:
        suggestions: In their order.
        classes: K names; none without a head, and then no predictions.
        boxes: Objects are labelled by boxes: a likely class is proposed at its best patch.
        labelled: Number of labelled images.
        images: Folder with all images.
    """
    return [
        task(
            each.path,
            served_root(images),
            osp.relpath(each.path, images),
            reason(each, classes, labelled),
            _predictions(each, classes, boxes),
        )
        for each in suggestions
    ]


def _predictions(
    suggestion: Suggestion, classes: Sequence[str], boxes: bool
) -> list[dict[str, Any]]:
    """What the heads say of an image; none where no class is likely."""
    found = suggestion.judgement
    if found is None or not found.proposals:
        return []
    score = found.proposals[0].probability
    if not boxes:
        result = [choices('likely', [classes[each.label] for each in found.proposals])]
    else:
        result = [
            dict(
                rectangle(f'likely{n}', each.patch, classes[each.label], found.size_hw),
                score=each.probability,
            )
            for n, each in enumerate(found.proposals)
        ]
    return [prediction(MODEL, score, result)]


def write_files(
    files: Mapping[str, str],
    source: Source,
    suggestions: Sequence[Suggestion],
    labelled: int,
    facts: dict[str, str],
    notes: Sequence[str],
    images: str,
) -> None:
    """Write all files; each is complete or absent, the page last.

    Args:
        files: Name → path: :data:`PAGE`, :data:`TABLE`, :data:`LIST`, :data:`TASKS`.
        source: The heads.
        suggestions: In their order.
        labelled: Number of labelled images.
        facts: What the choice is made of, for the page.
        notes: What was left out, for the page.
        images: Folder with all images.
    """
    classes = source.classes
    page = suggestion_page(
        source.name, suggestions, classes, labelled, source.upright, facts, notes
    )
    write_table(files[TABLE], suggestions, classes, labelled)
    write_list(files[LIST], suggestions)
    write_tasks(files[TASKS[0]], tasks(suggestions, classes, source.boxes, labelled, images))
    write_interface(files[TASKS[1]], classes, source.boxes)
    with atomic_write(files[PAGE], errors='backslashreplace') as file:
        file.write(page)
