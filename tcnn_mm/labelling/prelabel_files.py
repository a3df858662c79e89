"""Proposed labels in the formats that labelling tools import: Label Studio, CVAT, COCO."""

import json
import os.path as osp
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.coco import is_coco
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.json_values import load_json
from tcnn_mm.errors import UserError
from tcnn_mm.labelling.label_studio import (
    choices,
    prediction,
    rectangle,
    served_root,
    setting_up,
    task,
    write_interface,
    write_tasks,
)
from tcnn_mm.labelling.prelabels import Prelabels, Proposal, read_prelabels

# Name of the predictions in Label Studio.
MODEL = 'tcnn prelabel'


def below(paths: Sequence[str]) -> tuple[str, list[str]]:
    """The folder that all files are below, and their paths below it, with '/'."""
    root = osp.commonpath([osp.dirname(path) for path in paths])
    return root, [osp.relpath(path, root).replace(osp.sep, '/') for path in paths]


def cvat_xml(found: Prelabels) -> str:
    """The text of annotations.xml of "CVAT for images 1.1"; whole images have tags.

    The file is uploaded to a task that has these images and these labels: Actions, Upload
    annotations, CVAT 1.1.
    """
    _, names = below([image.path for image in found.images])
    labels = ''.join(f'<label><name>{escape(name)}</name></label>' for name in found.classes)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<annotations>',
        '<version>1.1</version>',
        f'<meta><task><labels>{labels}</labels></task></meta>',
    ]
    for number, (image, name) in enumerate(zip(found.images, names, strict=True)):
        height, width = image.size_hw
        lines.append(
            f'<image id="{number}" name={quoteattr(name)} width="{width}" height="{height}">'
        )
        lines += [f'  {_cvat_shape(each)}' for each in image.proposals]
        lines.append('</image>')
    return '\n'.join([*lines, '</annotations>', ''])


def _cvat_shape(each: Proposal) -> str:
    label = f'label={quoteattr(each.name)} source="auto"'
    if each.box is None:
        return f'<tag {label}></tag>'
    corners = zip(('xtl', 'ytl', 'xbr', 'ybr'), each.box, strict=True)
    box = ' '.join(f'{key}="{value:.2f}"' for key, value in corners)
    return f'<box {label} occluded="0" {box} z_order="0"></box>'


def coco_json(found: Prelabels) -> dict[str, Any]:
    """Images, annotations with `score`, and categories in COCO's format.

    Raises:
        UserError: A label without a box, which the format has no place for.
    """
    _, names = below([image.path for image in found.images])
    number = {name: k for k, name in enumerate(found.classes, 1)}
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(found.images, 1):
        for each in image.proposals:
            box = _xywh(_box(each, image.path))
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image_id,
                    category_id=number[each.name],
                    bbox=box,
                    area=box[2] * box[3],
                    iscrowd=0,
                    score=each.score,
                )
            )
    return dict(
        images=[
            dict(id=n, file_name=name, height=image.size_hw[0], width=image.size_hw[1])
            for n, (image, name) in enumerate(zip(found.images, names, strict=True), 1)
        ],
        annotations=annotations,
        categories=[dict(id=k, name=name) for name, k in number.items()],
    )


def coco_results(found: Prelabels, instances: str) -> list[dict[str, Any]]:
    """The boxes as COCO's results, for pycocotools' `loadRes` on some ground truth.

    Args:
        found: With boxes.
        instances: Its JSON file: names images and categories by numbers.

    Raises:
        UserError: A file of another form; an image or a class that it does not have.
    """
    truth = load_json(instances)
    if not is_coco(truth):
        raise UserError(f'{instances}: no COCO file: it needs images, annotations and categories')
    category = {str(each.get('name')): each.get('id') for each in truth['categories']}
    _, names = below([image.path for image in found.images])
    index, number = ImageIndex(names), {}
    for image in truth['images']:
        match = index.find(str(image.get('file_name')))
        if match.file is not None:
            number[match.file] = image.get('id')
    unknown = [name for name in names if name not in number]
    missing = [name for name in found.classes if name not in category]
    if unknown or missing:
        what = f'image {unknown[0]} ({len(unknown)} such)' if unknown else f'class {missing[0]}'
        raise UserError(f'{instances}: has no {what}; predict the images of this file')
    return [
        dict(
            image_id=number[name],
            category_id=category[each.name],
            bbox=_xywh(_box(each, image.path)),
            score=each.score,
        )
        for image, name in zip(found.images, names, strict=True)
        for each in image.proposals
    ]


def _box(each: Proposal, path: str) -> Box:
    """Of a proposal that has one.

    Raises:
        UserError: It has none.
    """
    if each.box is None:
        raise UserError(
            f'{path}: {each.name} has no box, which COCO needs: give --patches 1 or more; images '
            'with an EXIF orientation need predictions of tcnn predict --upright'
        )
    return each.box


def _xywh(box: Box) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def studio_tasks(found: Prelabels, root: str) -> list[dict[str, Any]]:
    """One task of Label Studio per image, with the proposals as its prediction.

    Args:
        found: All with boxes, or all without: a project has one kind of label.
        root: Folder from which Label Studio serves files.
    """
    _, names = below([image.path for image in found.images])
    tasks = []
    for image, name in zip(found.images, names, strict=True):
        given = image.proposals
        if all(each.box is None for each in given):
            result = [choices('labels', [each.name for each in given])] if given else []
        else:
            result = [
                dict(rectangle(f'patch{n}', each.box, each.name, image.size_hw), score=each.score)
                for n, each in enumerate(given)
                if each.box is not None
            ]
        said = [prediction(MODEL, given[0].score, result)] if given else []
        tasks.append(task(image.path, root, name, 'correct the labels', said))
    return tasks


def write_prelabels(
    predictions: str, form: str, path: str, patches: int = 1, instances: str | None = None
) -> list[str]:
    """Write proposed labels in one of the formats of `tcnn prelabel`.

    Args:
        predictions: OUT of `tcnn predict`.
        form: The format.
        path: The file.
        patches: Boxes per label at most; 0: labels of whole images.
        instances: Of COCO's results: the ground truth.

    Returns:
        Lines that say what was written, what was not, and how it is imported. Beside tasks of
        Label Studio stands their labelling interface, FILE without its suffix + '.xml'.

    Raises:
        UserError: What :func:`read_prelabels` and the formats refuse.
    """
    found = read_prelabels(predictions, patches)
    if form == 'label-studio':
        root, _ = below([image.path for image in found.images])
        control = f'{osp.splitext(path)[0]}.xml'
        write_tasks(path, studio_tasks(found, served_root(root)))
        write_interface(control, found.classes, boxes=patches > 0)
        how = f'labelling interface of the project: {control}; {setting_up(root)}'
    elif form == 'cvat':
        write_text(path, cvat_xml(found))
        how = 'in CVAT: a task with these images and labels, Actions, Upload annotations, CVAT 1.1'
    else:
        content = coco_results(found, instances) if instances else coco_json(found)
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        write_text(path, text + '\n')
        how = (
            'pycocotools: COCO(INSTANCES).loadRes(FILE)'
            if instances
            else 'FiftyOne and others read it as COCO'
        )
    labels = sum(len(image.proposals) for image in found.images)
    lines = [f'{path}: {labels} labels of {len(found.images)} images', how]
    if found.turned:
        lines.append(
            f'{found.turned} images have an EXIF orientation, by which tools turn them: labels '
            'without boxes; predict with tcnn predict --upright for boxes'
        )
    if found.left_out:
        lines.append(f'left out: {len(found.left_out)} images without a result')
    return lines


def write_text(path: str, text: str) -> None:
    """Write a text file, complete or absent."""
    with atomic_write(path) as file:
        file.write(text)
