"""Checks as tasks of Label Studio: boxes of the data as annotations, checks as predictions."""

import json
import os.path as osp
import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.labelling.audit import Check
from tcnn_mm.labelling.audit_table import reason
from tcnn_mm.labelling.held_out_run import HeldOutRun
from tcnn_mm.labelling.label_errors import LabelledImage

# Names of the controls in the labelling interface, which every result refers to.
IMAGE, BOX, LABEL = 'image', 'box', 'label'
MODEL = 'tcnn audit'


def interface(classes: Sequence[str], boxes: bool) -> str:
    """The labelling interface (XML) that the tasks need: Settings, Labeling Interface, Code."""
    control = (
        ('RectangleLabels', 'Label', BOX, '') if boxes else ('Choices', 'Choice', LABEL, 'multiple')
    )
    tag, item, name, choice = control
    more = f' choice={quoteattr(choice)}' if choice else ''
    lines = [
        '<View>',
        '  <Header value="$check"/>',
        f'  <Image name="{IMAGE}" value="$image"/>',
        f'  <{tag} name="{name}" toName="{IMAGE}"{more}>',
        *[f'    <{item} value={quoteattr(each)}/>' for each in classes],
        f'  </{tag}>',
        '</View>',
    ]
    return '\n'.join(lines) + '\n'


def served_root(images: str) -> str:
    """The folder that Label Studio serves: it accepts a local storage only inside that folder.

    Args:
        images: Folder with all images, that of the storage.
    """
    return osp.dirname(images)


def setting_up(images: str) -> str:
    """How Label Studio is started to show the images, in words."""
    return (
        'Label Studio shows the images if it is started by LABEL_STUDIO_LOCAL_FILES_SERVING_'
        'ENABLED=true LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT='
        f'{shlex.quote(served_root(images))} label-studio start, and the project has a local '
        f'storage (source) of {shlex.quote(images)}, which is not synchronized'
    )


def tasks(checks: Sequence[Check], run: HeldOutRun, root: str) -> list[dict[str, Any]]:
    """One task per image with checks, those of the surest errors first.

    Args:
        checks: In their order.
        run: The fit.
        root: Folder from which Label Studio serves files
            (`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`); all images are below it.
    """
    boxes = any(len(image.boxes) for image in run.images)
    of_image: dict[int, list[Check]] = {}
    for check in checks:
        of_image.setdefault(check.image, []).append(check)
    return [
        dict(
            data=dict(
                image=f'/data/local-files/?d={quote(osp.relpath(osp.abspath(run.paths[n]), root))}',
                check='; '.join(f'{each.kind}: {reason(each, run.classes)}' for each in mine),
                image_id=run.images[n].image_id,
            ),
            annotations=[dict(result=_given(run, n, boxes))],
            predictions=[
                dict(
                    model_version=MODEL,
                    score=mine[0].score,
                    result=[_result(each, run, at) for at, each in enumerate(mine)]
                    if boxes
                    else [_choices('check', _proposed(run, n, mine))],
                )
            ],
        )
        for n, mine in of_image.items()
    ]


def _given(run: HeldOutRun, n: int, boxes: bool) -> list[dict[str, Any]]:
    """The labels of the data."""
    image: LabelledImage = run.images[n]
    if not boxes:
        return [_choices('given', [run.classes[k] for k in (run.labels[n] > 0).nonzero()[0]])]
    return [
        _rectangle(f'box{m}', box, run.classes[k], run.sizes[n])
        for m, (box, k) in enumerate(zip(image.boxes, image.box_labels, strict=True))
    ]


def _proposed(run: HeldOutRun, n: int, checks: Sequence[Check]) -> list[str]:
    """The labels of an image without boxes, if all checks are right."""
    labels = {*(run.labels[n] > 0).nonzero()[0].tolist()}
    for check in checks:
        labels -= {check.label}
        labels |= {check.instead} - {None}
    return [run.classes[k] for k in sorted(labels)]


def _result(check: Check, run: HeldOutRun, number: int) -> dict[str, Any]:
    """The patch of a check, or for a wrong label its box, with the class that is proposed."""
    wrong = check.kind == 'wrong label' and check.box is not None
    place = run.images[check.image].boxes[check.box] if wrong else check.patch
    k = check.label if check.instead is None else check.instead
    assert k is not None
    return dict(
        _rectangle(f'check{number}', place, run.classes[k], run.sizes[check.image]),
        score=check.score,
        meta=dict(text=[f'{check.kind}: {reason(check, run.classes)}']),
    )


def _choices(name: str, classes: Sequence[str]) -> dict[str, Any]:
    """Labels of a whole image."""
    return dict(
        id=name, from_name=LABEL, to_name=IMAGE, type='choices', value=dict(choices=list(classes))
    )


def _rectangle(
    name: str, box: Sequence[float] | np.ndarray, label: str, size_hw: tuple[int, int]
) -> dict[str, Any]:
    """A box: in per cent of the image."""
    height, width = size_hw
    x1, y1, x2, y2 = (float(value) for value in box)
    return dict(
        id=name,
        from_name=BOX,
        to_name=IMAGE,
        type='rectanglelabels',
        original_width=width,
        original_height=height,
        image_rotation=0,
        value=dict(
            x=100 * x1 / width,
            y=100 * y1 / height,
            width=100 * (x2 - x1) / width,
            height=100 * (y2 - y1) / height,
            rotation=0,
            rectanglelabels=[label],
        ),
    )


def write_tasks(path: str, checks: Sequence[Check], run: HeldOutRun, root: str) -> None:
    """Write :func:`tasks` as JSON."""
    with atomic_write(path, errors='backslashreplace') as file:
        json.dump(tasks(checks, run, root), file, ensure_ascii=False, indent=1)


def write_interface(path: str, run: HeldOutRun) -> None:
    """Write :func:`interface`."""
    boxes = any(len(image.boxes) for image in run.images)
    with atomic_write(path, errors='backslashreplace') as file:
        file.write(interface(run.classes, boxes))
