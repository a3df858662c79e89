"""Checks as tasks of Label Studio: labels of the data as annotations, checks as predictions."""

from collections.abc import Sequence
from typing import Any

from tcnn_mm.labelling.audit import Check
from tcnn_mm.labelling.audit_table import reason
from tcnn_mm.labelling.held_out_run import HeldOutRun
from tcnn_mm.labelling.label_errors import LabelledImage
from tcnn_mm.labelling.label_studio import choices, prediction, rectangle, task

MODEL = 'tcnn audit'


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
        task(
            run.paths[n],
            root,
            run.images[n].image_id,
            '; '.join(f'{each.kind}: {reason(each, run.classes)}' for each in mine),
            [
                prediction(
                    MODEL,
                    mine[0].score,
                    [_result(each, run, at) for at, each in enumerate(mine)]
                    if boxes
                    else [choices('check', _proposed(run, n, mine))],
                )
            ],
            annotations=[dict(result=_given(run, n, boxes))],
        )
        for n, mine in of_image.items()
    ]


def _given(run: HeldOutRun, n: int, boxes: bool) -> list[dict[str, Any]]:
    """The labels of the data."""
    image: LabelledImage = run.images[n]
    if not boxes:
        return [choices('given', [run.classes[k] for k in (run.labels[n] > 0).nonzero()[0]])]
    return [
        rectangle(f'box{m}', box, run.classes[k], run.sizes[n])
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
        rectangle(f'check{number}', place, run.classes[k], run.sizes[check.image]),
        score=check.score,
        meta=dict(text=[f'{check.kind}: {reason(check, run.classes)}']),
    )
