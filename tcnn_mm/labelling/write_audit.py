"""Audit the labels of a fit and write what was found: page, table, tasks of a labelling tool."""

import os
import os.path as osp
from typing import NamedTuple

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.labelling.audit import Check, audit
from tcnn_mm.labelling.audit_page import audit_page
from tcnn_mm.labelling.audit_table import write_table
from tcnn_mm.labelling.audit_tasks import tasks
from tcnn_mm.labelling.held_out_run import HeldOutRun, image_data, read_held_out_run
from tcnn_mm.labelling.label_errors import LabelledImage, Margins, fit_margins
from tcnn_mm.labelling.label_studio import served_root, write_interface, write_tasks

PAGE, TABLE = 'audit.html', 'audit.csv'
TASKS, INTERFACE = 'label_studio.json', 'label_studio.xml'


class Audit(NamedTuple):
    """What an audit found and wrote.

    Attributes:
        classes (list[str]): K names.
        checks (list[Check]): The surest errors first.
        notes (list[str]): What was not judged, in words.
        files (dict[str, str]): Name of a file → its path.
        images (str): Folder with all images, below that of :func:`served_root`.
    """

    classes: list[str]
    checks: list[Check]
    notes: list[str]
    files: dict[str, str]
    images: str


def write_audit(run: str, out: str | None = None, count: int = 50, trust: bool = False) -> Audit:
    """Rank the labels and boxes of a cross-validated fit that are likely wrong.

    Args:
        run: Folder of the fit.
        out: Folder for audit.html, audit.csv, label_studio.json and label_studio.xml. Defaults to
            `audit` in the folder of the fit.
        count: Checks on the page and in the tasks; the table has all.
        trust: See :func:`load_safely`.

    Raises:
        UserError: What :func:`read_held_out_run` refuses.
    """
    found = read_held_out_run(run, trust)
    margins = fit_margins(found.images, found.scores, found.labels, found.folds)
    checks = audit(found.images, found.labels, margins)
    fit = osp.dirname(osp.abspath(found.config.filename))
    out = osp.abspath(out or osp.join(fit, 'audit'))
    os.makedirs(out, exist_ok=True)
    remove_stale_drafts(out)
    images = osp.commonpath([osp.dirname(osp.abspath(path)) for path in found.paths])
    files = {name: osp.join(out, name) for name in (PAGE, TABLE, TASKS, INTERFACE)}
    notes = not_judged(found, margins)
    page = audit_page(osp.basename(fit), checks, found, image_data(found), count, notes, TABLE)
    write_table(files[TABLE], checks, found)
    write_tasks(files[TASKS], tasks(checks[:count], found, served_root(images)))
    boxes = any(len(image.boxes) for image in found.images)
    write_interface(files[INTERFACE], found.classes, boxes)
    with atomic_write(files[PAGE], errors='backslashreplace') as file:
        file.write(page)
    return Audit(found.classes, checks, notes, files, images)


def not_judged(run: HeldOutRun, margins: Margins) -> list[str]:
    """What the scores say nothing of, in sentences."""
    notes = []
    unknown = np.isnan(margins.present).all(0)
    names = [name for name, hidden in zip(run.classes, unknown, strict=True) if hidden]
    if names:
        notes.append(
            f'Not judged by image scores: {", ".join(names)}. They are of too few images, or their '
            'scores do not rise with the labels.'
        )
    boxes = sum(int((~image.difficult).sum()) for image in run.images)
    small = sum(map(unseen_boxes, run.images)) if boxes else 0
    if small:
        notes.append(
            f'{small} of {boxes} boxes are shown by no patch of their own (too small, or beside '
            'another class): their places are not judged.'
        )
    if boxes and margins.box is None:
        notes.append('The votes of patches do not tell the classes of boxes apart: none is judged.')
    if boxes and margins.place is None:
        notes.append(
            'Too few patches are away from boxes, or they vote as those in boxes do: places of '
            'boxes are not judged.'
        )
    return notes


def unseen_boxes(image: LabelledImage) -> int:
    """Boxes of an image, difficult ones apart, that no patch shows."""
    mine = np.flatnonzero(~image.difficult)
    return int(np.isnan(image.evidence.inside[mine, image.box_labels[mine]]).sum())
