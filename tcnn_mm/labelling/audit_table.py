"""Checks in words, and as a table."""

import csv
from collections.abc import Sequence
from typing import Any

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.labelling.audit import KINDS, Check
from tcnn_mm.labelling.held_out_run import HeldOutRun

COLUMNS = (
    'rank', 'score', 'kind', 'image', 'label', 'instead', 'reason', 'vote', 'patch_x1', 'patch_y1',
    'patch_x2', 'patch_y2', 'box_x1', 'box_y1', 'box_x2', 'box_y2', 'file',
)  # fmt: skip
WHAT_IT_MEANS = {
    'missing label': 'a class that is not labelled, and that the held-out head sees',
    'wrong label': 'a label or a box that the held-out head denies; perhaps another class',
    'box overlooked': 'patches away from all boxes of a labelled class vote for it',
    'box misplaced': 'the patches of a box do not vote for its class, those elsewhere do',
}


def reason(check: Check, classes: Sequence[str]) -> str:
    """Why, in plain words with the figures."""
    label = None if check.label is None else classes[check.label]
    instead = None if check.instead is None else classes[check.instead]
    if check.kind == 'missing label':
        return (
            f'no {instead} is labelled; by the scores it is there with probability {check.own:.2f}'
        )
    if check.kind == 'box overlooked':
        return f'this patch is away from every box of {label} and votes {check.vote:.2f} for it'
    if check.kind == 'box misplaced':
        return (
            f'the patches of the box vote {check.own:.2f} for {label}, this one elsewhere votes '
            f'{check.vote:.2f}'
        )
    denied = (
        f'{label} has probability {check.own:.2f} by the scores'
        if check.box is None
        else f'the patches of the box vote {check.own:.2f} for {label}'
    )
    return denied if instead is None else f'{denied}, and this patch {check.vote:.2f} for {instead}'


def printed_line(check: Check, classes: Sequence[str]) -> str:
    """A check in one line."""
    return (
        f'{check.score:.2f}  {check.kind}  {printable(check.image_id)}: '
        f'{printable(reason(check, classes))}'
    )


def counts(checks: Sequence[Check]) -> dict[str, int]:
    """Kind → number of checks."""
    return {kind: sum(check.kind == kind for check in checks) for kind in KINDS}


def table_row(rank: int, check: Check, run: HeldOutRun) -> dict[str, Any]:
    """A row of the table, by column; '' where something is not there."""
    box = [''] * 4 if check.box is None else run.images[check.image].boxes[check.box]
    names = {
        key: '' if k is None else run.classes[k]
        for key, k in (('label', check.label), ('instead', check.instead))
    }
    row = dict(
        rank=rank,
        score=f'{check.score:.4f}',
        kind=check.kind,
        image=check.image_id,
        **names,
        reason=reason(check, run.classes),
        vote=f'{check.vote:.4f}',
        file=run.paths[check.image],
    )
    for name, corners in (('patch', check.patch), ('box', box)):
        for corner, value in zip(('x1', 'y1', 'x2', 'y2'), corners, strict=True):
            row[f'{name}_{corner}'] = value if isinstance(value, str) else f'{value:.1f}'
    return row


def write_table(path: str, checks: Sequence[Check], run: HeldOutRun) -> None:
    """Write all checks as CSV, the surest error first."""
    with atomic_write(path, errors='backslashreplace') as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for rank, check in enumerate(checks, 1):
            writer.writerow(table_row(rank, check, run))
