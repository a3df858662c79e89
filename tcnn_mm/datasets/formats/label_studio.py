"""Label Studio's own JSON: tasks with annotations, as its export "JSON" writes them."""

import os.path as osp
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Box,
    Reading,
    drop_labels_beside_boxes,
)
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.image_index import ImageIndex, Match
from tcnn_mm.datasets.formats.json_values import JsonFile, as_number, load_json, shown
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.formats.table_text import has_image_suffix
from tcnn_mm.errors import UserError

# Results with a class, and the key of their value that holds it.
SHAPES = ('rectanglelabels', 'ellipselabels', 'polygonlabels')
CHOICES = 'choices'
# An uploaded file gets 8 hex digits in front of its name.
UPLOADED = re.compile(r'^[0-9a-f]{8}-')
# Its images are addresses on its server.
NO_REPAIR = ('', 'with its URL decoded', 'without the digits of the upload')
_HEAD = 1 << 16


def find_label_studio(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the JSON files that are lists of tasks; None without any."""
    files = [file for file in scan.with_suffix('.json') if _looks_like_tasks(scan.path(file))]
    if not files:
        return None
    evidence = f'{named(files, 3)} of tasks of Label Studio'
    return Reading(
        'label-studio', evidence, lambda account: read_label_studio(scan, index, files, account)
    )


def _looks_like_tasks(path: str) -> bool:
    """Whether a file begins as a list of tasks."""
    if not osp.isfile(path):
        return False
    with open(path, 'rb') as file:
        head = file.read(_HEAD)
    if not head.lstrip(b'\xef\xbb\xbf \t\r\n').startswith(b'[') or b'"data"' not in head:
        return False
    try:
        content = load_json(path)
    except UserError:
        return b'"annotations"' in head  # told when it is read
    return isinstance(content, list) and bool(content) and _is_task(content[0])


def _is_task(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get('data'), dict)


def read_label_studio(
    scan: FolderScan, index: ImageIndex, files: Sequence[str], account: Account
) -> AnnotatedImages:
    """Read tasks and their images.

    Rectangles, ellipses and polygons become objects with the box around them; where no task has
    one, choices are image labels. A task without an annotation, or with cancelled ones alone, is
    not annotated. Of several annotations the one marked as ground truth counts, else the last.

    Raises:
        UserError: No image, broken JSON, a task without image, a shape without class, a rotated
            one, a value that is no number.
    """
    if not index.images:
        raise UserError(
            f'{scan.path(files[0])}: no image in its folder: put the images beside it, or into '
            'images/'
        )
    images: list[AnnotatedImage] = []
    for name in files:
        file = JsonFile(scan.path(name), name, account)
        content = load_json(scan.path(name))
        for at, task in enumerate(content, 1):
            if not _is_task(task):
                raise file.error(f'task {at}', f' is {shown(task)}, expected one with "data"')
            image = _image(task, f'task {task.get("id", at)}', file, index)
            if image is not None:
                images.append(image)
    boxes = drop_labels_beside_boxes(images, account, 'choices')
    classes = {name for image in images for name in (*image.labels, *_names(image))}
    return AnnotatedImages(images, sorted(classes), boxes)


def _names(image: AnnotatedImage) -> list[str]:
    return [item.name for item in image.objects]


def _image(
    task: dict[str, Any], where: str, file: JsonFile, index: ImageIndex
) -> AnnotatedImage | None:
    """The image of one task; None where its file is missing."""
    name, match = _find(task['data'], osp.dirname(file.label), index)
    if name is None:
        raise file.error(where, f': no image in "data": {shown(task["data"])}')
    if match.file is None:
        file.account.lose_image(match.how.partition(':')[0], file.place(f'{where} ({shown(name)})'))
        return None
    if match.how not in NO_REPAIR:
        file.repair(f'image found {match.how}', f'{where} ({shown(name)})')
    found = AnnotatedImage(
        match.file, part_of_path(osp.dirname(match.file)) or 'all', file.place(where)
    )
    results = _results(task, where, file)
    found.annotated = results is not None
    for at, result in enumerate(results or (), 1):
        place = f'{where}, result {at}'
        if not isinstance(result, dict) or not isinstance(result.get('value'), dict):
            raise file.error(place, f' is {shown(result)}, expected one with "value"')
        _add(found, result, place, file)
    return found


def _find(data: Mapping[str, Any], near: str, index: ImageIndex) -> tuple[str | None, Match]:
    """What of the data of a task is its image: 'image', else the first that names one."""
    texts = [data[key] for key in sorted(data, key=lambda key: key != 'image')]
    names = [text for text in texts if isinstance(text, str) and text.strip()]
    first: tuple[str | None, Match] = (None, Match(None, ''))
    for name in names:
        match = index.find(name, near)
        folder, base = osp.split(name)
        if match.file is None and UPLOADED.match(base):
            plain = index.find(osp.join(folder, UPLOADED.sub('', base)), near)
            match = plain._replace(how='without the digits of the upload') if plain.file else match
        if match.file is not None:
            return name, match
        if first[0] is None and (name == data.get('image') or has_image_suffix(name)):
            first = name, match
    return first


def _results(task: Mapping[str, Any], where: str, file: JsonFile) -> list[Any] | None:
    """The results of the annotation that counts; None without one."""
    given = task.get('annotations', task.get('completions')) or []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise file.error(where, f': annotations are {shown(given)}, expected a list of objects')
    made = [each for each in given if not each.get('was_cancelled')]
    if not made:
        return None
    if len(made) > 1:
        file.account.note(
            f'{file.label}: tasks with several annotations: that of the ground truth counts, else '
            'the last'
        )
    true = [each for each in made if each.get('ground_truth')]
    results = (true or made)[-1].get('result') or []
    if not isinstance(results, list):
        raise file.error(where, f': result is {shown(results)}, expected a list')
    return results


def _add(image: AnnotatedImage, result: dict[str, Any], where: str, file: JsonFile) -> None:
    """Add the object or the labels of one result to its image."""
    kind, value = result.get('type'), result['value']
    if kind == CHOICES:
        names = _classes(value, CHOICES, where, file)
        image.labels = list(dict.fromkeys([*image.labels, *names]))
        return
    if kind not in SHAPES:
        if isinstance(kind, str) and kind.endswith('labels'):
            file.account.lose_object(f'{kind} have no box', file.place(where))
        elif kind is not None:
            file.account.note(f'{file.label}: results of type {shown(kind)} are not read')
        return
    turned = as_number(value.get('rotation') or 0), as_number(result.get('image_rotation') or 0)
    if any(angle is None or angle % 360 for angle in turned):
        raise file.error(
            where,
            f': rotated by {shown(value.get("rotation") or result.get("image_rotation"))} degrees; '
            'only upright boxes are used: turn it back in Label Studio, and export again',
        )
    box = _box(kind, value, where, file)
    place = file.place(where)
    image.objects += [
        AnnotatedObject(name, box, place, relative=True)
        for name in _classes(value, kind, where, file)
    ]


def _classes(value: Mapping[str, Any], key: str, where: str, file: JsonFile) -> list[str]:
    """The classes of a result.

    Raises:
        UserError: None, or no texts.
    """
    names = value.get(key)
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise file.error(where, f': {key} are {shown(names)}, expected names of classes')
    return [name.strip() for name in names]


def _box(kind: str, value: Mapping[str, Any], where: str, file: JsonFile) -> Box:
    """The box of a shape in fractions of the image: Label Studio writes per cent.

    Raises:
        UserError: A value that is no number.
    """

    def numbers(*keys: str) -> list[float]:
        found = [as_number(value.get(key)) for key in keys]
        if None in found:
            key = keys[found.index(None)]
            raise file.error(where, f': {key} is {shown(value.get(key))}, expected a number')
        return [number / 100 for number in found if number is not None]

    if kind == 'rectanglelabels':
        x, y, width, height = numbers('x', 'y', 'width', 'height')
        return x, y, x + width, y + height
    if kind == 'ellipselabels':
        x, y, rx, ry = numbers('x', 'y', 'radiusX', 'radiusY')
        return x - rx, y - ry, x + rx, y + ry
    points = value.get('points')
    pairs = points if isinstance(points, list) else []
    plain = [[as_number(v) for v in pair] for pair in pairs if isinstance(pair, list)]
    if len(plain) < 3 or any(len(pair) != 2 or None in pair for pair in plain):
        raise file.error(where, f': points are {shown(points)}, expected [[x, y], …]')
    xs, ys = ([float(pair[axis] or 0) / 100 for pair in plain] for axis in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)
