"""What Label Studio reads: its labelling interface, tasks with results, and where images are."""

import json
import os.path as osp
import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_ids import printable

# Names of the controls in the labelling interface, which every result refers to.
IMAGE, BOX, LABEL = 'image', 'box', 'label'


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


def task(
    path: str, root: str, image_id: str, check: str, predictions: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """One image to look at.

    Args:
        path: Of the image, below `root`.
        root: Folder from which Label Studio serves files.
        image_id: Its id.
        check: What to look for, shown above the image.
        predictions: Of :func:`prediction`.
        more: Other entries, as `annotations`.
    """
    relative = osp.relpath(osp.abspath(path), root)
    return dict(
        data=dict(
            image=f'/data/local-files/?d={quote(relative, errors="surrogateescape")}',
            check=printable(check),
            image_id=printable(image_id),
        ),
        predictions=predictions,
        **more,
    )


def prediction(model: str, score: float, result: list[dict[str, Any]]) -> dict[str, Any]:
    """What a model says of an image: its name, a score for the order of tasks, results."""
    return dict(model_version=model, score=score, result=result)


def choices(name: str, classes: Sequence[str]) -> dict[str, Any]:
    """Labels of a whole image, as a result of a task."""
    return dict(
        id=name, from_name=LABEL, to_name=IMAGE, type='choices', value=dict(choices=list(classes))
    )


def rectangle(
    name: str, box: Sequence[float] | np.ndarray, label: str, size_hw: tuple[int, int]
) -> dict[str, Any]:
    """A box (xyxy pixels) as a result of a task: in per cent of the image."""
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


def write_tasks(path: str, tasks: Sequence[dict[str, Any]]) -> None:
    """Write tasks as JSON."""
    with atomic_write(path, errors='backslashreplace') as file:
        json.dump(tasks, file, ensure_ascii=False, indent=1)


def write_interface(path: str, classes: Sequence[str], boxes: bool) -> None:
    """Write :func:`interface`."""
    with atomic_write(path, errors='backslashreplace') as file:
        file.write(interface(classes, boxes))
