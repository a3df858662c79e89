"""Labels that a model proposes, from the predictions of `tcnn predict`: to be corrected by people.

Boxes are the best patches of a label: squares that vote for its class, near the object and not its
outline.
"""

import json
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_io import read_header
from tcnn_mm.datasets.orientation import upright_size
from tcnn_mm.errors import UserError

FILE = 'predictions.json'


class Proposal(NamedTuple):
    """One label of an image, with a box or for the whole image.

    Attributes:
        name (str): The class.
        score (float): Its probability in the image, of a calibrated checkpoint; else its image
            score.
        box (Box, optional): (x1, y1, x2, y2) in pixels of the image, 0-based edges.
    """

    name: str
    score: float
    box: Box | None


class Prelabelled(NamedTuple):
    """An image with proposed labels.

    Attributes:
        path (str): Of its file, absolute.
        size_hw (tuple[int, int]): Height and width in pixels.
        proposals (list[Proposal]): The surest class first.
    """

    path: str
    size_hw: tuple[int, int]
    proposals: list[Proposal]


class Prelabels(NamedTuple):
    """What a model proposes for a folder.

    Attributes:
        classes (list[str]): K names.
        images (list[Prelabelled]): In the order of the predictions.
        left_out (list[str]): Paths of images without result.
        turned (int): Images that tools show turned (EXIF): they have labels without boxes, because
            they were predicted as stored.
    """

    classes: list[str]
    images: list[Prelabelled]
    left_out: list[str]
    turned: int = 0


def read_prelabels(folder: str, patches: int) -> Prelabels:
    """Read the predictions of a folder.

    Args:
        folder: OUT of `tcnn predict`, or its predictions.json.
        patches: Boxes per label at most; 0: labels of whole images.

    Raises:
        UserError: No predictions, or not those of this command.
    """
    path = osp.join(folder, FILE) if osp.isdir(folder) else folder
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except OSError as error:
        raise UserError(
            f'{printable(path)}: cannot be read ({error.strerror}); give the --out of tcnn predict'
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f'{printable(path)}: broken JSON ({error}); predict again') from error
    try:
        return _prelabels(content, path, patches, _read_upright(path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f'{printable(path)}: not as tcnn predict writes it ({error!r}); predict again'
        ) from error


def _read_upright(path: str) -> bool:
    """Whether the images were predicted as their EXIF orientation shows them."""
    lines = f'{path}l'
    if not osp.isfile(lines):
        return False
    with open(lines, encoding='utf-8', errors='replace') as file:
        return '"upright": true' in file.readline()


def _prelabels(content: Mapping[str, Any], path: str, patches: int, upright: bool) -> Prelabels:
    classes = [str(name) for name in content['classes']]
    images: list[Prelabelled] = []
    left_out: list[str] = []
    turned = 0
    for entry in content['images']:
        file = osp.abspath(str(entry['img_path']))
        if 'error' in entry:
            left_out.append(file)
            continue
        size_hw, orientation = read_header(file)
        with_boxes = orientation == 1 or upright
        turned += not with_boxes
        images.append(
            Prelabelled(
                file,
                upright_size(size_hw, orientation),
                proposals(entry, patches if with_boxes else 0),
            )
        )
    if not images:
        raise UserError(f'{printable(path)}: no image with a result')
    return Prelabels(classes, images, left_out, turned if patches else 0)


def proposals(entry: Mapping[str, Any], patches: int) -> list[Proposal]:
    """The proposals of one image.

    Args:
        entry: Its result, see :class:`ImageResult`.
        patches: Boxes per label at most; 0: labels of the whole image.
    """
    values = {**entry['scores'], **_known(entry.get('probabilities') or {})}
    labels: Sequence[str] = sorted(entry['labels'], key=lambda name: -values[name])
    if not patches:
        return [Proposal(name, float(values[name]), None) for name in labels]
    found = []
    for name in labels:
        for patch in entry['patches'][name][:patches]:
            x1, y1, x2, y2 = (float(value) for value in patch['box'])
            found.append(Proposal(name, float(values[name]), (x1, y1, x2, y2)))
    return found


def _known(probabilities: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in probabilities.items() if value is not None}
