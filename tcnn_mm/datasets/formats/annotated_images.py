"""What the reader of any annotation format gives: images with objects or image labels."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tcnn_mm.datasets.formats.account import Account

Box = tuple[float, float, float, float]


@dataclass
class AnnotatedObject:
    """One object.

    Attributes:
        name (str): Its class.
        box (Box): (x1, y1, x2, y2) in pixels, 0-based edges, as the file says it: it may reach
            over the image, have its corners in any order, or be empty. `check_boxes` decides.
        where (str): File and place, for messages.
        difficult, truncated (bool): As VOC means them; a crowd of COCO is difficult.
        relative (bool): `box` is in fractions of the image's sides, in place of pixels.
    """

    name: str
    box: Box
    where: str
    difficult: bool = False
    truncated: bool = False
    relative: bool = False


@dataclass
class AnnotatedImage:
    """One image.

    Attributes:
        file (str): Path below the root of the data, with '/' and the extension; unique.
        part (str): 'train', 'val', 'test', 'trainval', or 'all' where the data name no parts.
        where (str): File (and line or entry) that annotates it, for messages.
        objects (list[AnnotatedObject]): Empty where the image has image labels.
        labels (list[str]): Image labels; empty where it has objects.
        size_hw (tuple[int, int], optional): Height and width as the annotation says them.
        group (str): Images of one group (a patient, a film) stay together in cross-validation; ''
            where the data say none.
        annotated (bool): An annotation is there, if only an empty one. False: the image is in a
            folder or list with annotated ones.
    """

    file: str
    part: str
    where: str
    objects: list[AnnotatedObject] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    size_hw: tuple[int, int] | None = None
    annotated: bool = True
    group: str = ''


@dataclass
class AnnotatedImages:
    """All images of one data set.

    Attributes:
        images (list[AnnotatedImage]): In a fixed order.
        classes (list[str]): Names in the order of labels: sorted, or by the numbers that the
            format gives them.
        boxes (bool): The annotations are objects with boxes; else image labels.
    """

    images: list[AnnotatedImage]
    classes: list[str]
    boxes: bool


def drop_labels_beside_boxes(
    images: Iterable[AnnotatedImage], account: Account, called: str
) -> bool:
    """Leave out image labels where some image has objects; in place.

    Args:
        images: Of one data set.
        account: Gets a note.
        called: What the format calls image labels: 'tags'.

    Returns:
        Whether there are objects.
    """
    images = list(images)
    boxes = any(image.objects for image in images)
    labelled = [image for image in images if image.labels] if boxes else []
    if labelled:
        account.note(
            f'{len(labelled)} images have {called} beside boxes: the {called} are not used'
        )
    for image in labelled:
        image.labels = []
    return boxes


class Reading(NamedTuple):
    """One way to read a folder.

    Attributes:
        format (str): Its name, as `--format` takes it: 'voc', 'coco', 'table', 'folders', …
        evidence (str): What was found, in words: '24 XML files of VOC in Annotations'.
        read (callable): Reads the annotations; adds to the account.
    """

    format: str
    evidence: str
    read: Callable[[Account], AnnotatedImages]
