"""Compare annotations with the image files: sizes, EXIF orientation, boxes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage
from tcnn_mm.datasets.formats.check_boxes import (
    check_boxes,
    refuse_fraction_corners,
    refuse_fractions,
)
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_io import UPRIGHT, read_header
from tcnn_mm.datasets.orientation import TURNED, to_stored, to_upright, upright_size
from tcnn_mm.errors import UserError

# Number of items → a context with the function to call after each.
Progress = Callable[[int], AbstractContextManager[Callable[[], object]]]


def no_progress(total: int) -> AbstractContextManager[Callable[[], object]]:
    """Show nothing."""
    return nullcontext(lambda: None)


@dataclass
class CheckedImage:
    """An image whose annotation agrees with its file.

    Attributes:
        image (AnnotatedImage): Its objects' boxes are in pixels of the image as it is read.
        size_hw (tuple[int, int]): Height and width of the image as it is read.
    """

    image: AnnotatedImage
    size_hw: tuple[int, int]


@dataclass
class _Header:
    """Height and width as stored, and the EXIF orientation (1: upright)."""

    size_hw: tuple[int, int]
    orientation: int

    @property
    def upright_hw(self) -> tuple[int, int]:
        return upright_size(self.size_hw, self.orientation)


def check_images(
    root: str,
    images: list[AnnotatedImage],
    path_of: Callable[[str], str],
    account: Account,
    upright: bool = False,
    progress: Progress = no_progress,
) -> list[CheckedImage]:
    """Read the headers of all images and bring their boxes to the pixels that are read.

    Labelling tools differ in whether they apply the EXIF orientation. Where the annotated size
    tells (width and height are exchanged), boxes are known to be on the stored or on the upright
    image; images whose size does not tell follow the others of the data set, else the boxes are
    taken to be on the stored image.

    Args:
        root: Of the data, for errors.
        images: Of one data set.
        path_of: Path of an image's file.
        account: Counts repairs and losses.
        upright: Images will be read upright. Defaults to False: as stored.
        progress: Shows how many headers are read.

    Returns:
        The images that are used. Left out are those that cannot be read, and those with objects
        whose annotated size is another one.

    Raises:
        UserError: All boxes are in fractions of the image's sides where pixels are due, or all
            are corners where centre, width and height are.
    """
    refuse_fractions(root, images)
    refuse_fraction_corners(root, images)
    headers = []
    with ThreadPoolExecutor() as pool, progress(len(images)) as step:
        for header in pool.map(lambda image: _read_header(path_of(image.file)), images):
            headers.append(header)
            step()
    pairs = []
    for image, header in zip(images, headers, strict=True):
        if isinstance(header, str):
            account.lose_image(f'image cannot be read: {header}', image.file)
        elif not _size_agrees(image, header):
            account.lose_image(_size_fault(image, header), image.where)
        else:
            pairs.append((image, header))
    frames = [_frame(image, header) for image, header in pairs]
    known = {frame for frame in frames if frame is not None}
    default = known == {True}
    checked, turned = [], 0
    for (image, header), frame in zip(pairs, frames, strict=True):
        annotated_upright = default if frame is None else frame
        if header.orientation != UPRIGHT and image.objects and annotated_upright != upright:
            turned += 1
            turn = to_upright if upright else to_stored
            image = _turned(image, header, turn, annotated_upright)
        size_hw = header.upright_hw if upright else header.size_hw
        objects = check_boxes(image.objects, size_hw, account)
        checked.append(CheckedImage(replace(image, objects=objects), size_hw))
    _note_orientations([header for _, header in pairs], turned, upright, account)
    return checked


def _read_header(path: str) -> _Header | str:
    """Size and orientation, or the error's text."""
    try:
        return _Header(*read_header(path))
    except UserError as error:
        return str(error).removeprefix(f'{printable(path)}: ')


def _size_agrees(image: AnnotatedImage, header: _Header) -> bool:
    """Whether the annotated size is the file's; without one, or without objects, it is."""
    sizes = (header.size_hw, header.upright_hw)
    return image.size_hw is None or not image.objects or image.size_hw in sizes


def _size_fault(image: AnnotatedImage, header: _Header) -> str:
    assert image.size_hw is not None
    height, width = image.size_hw
    if image.size_hw == header.size_hw[::-1]:
        return (
            f'annotation says {width}×{height} pixels, width and height exchanged: boxes of a '
            'rotated image?'
        )
    return (
        f'annotation says {width}×{height} pixels, the image has '
        f'{header.size_hw[1]}×{header.size_hw[0]}: resized after it was annotated?'
    )


def _frame(image: AnnotatedImage, header: _Header) -> bool | None:
    """True: boxes are on the upright image; False: on the stored one; None: the size tells not."""
    if header.orientation not in TURNED or image.size_hw is None:
        return None
    if header.size_hw[0] == header.size_hw[1]:
        return None
    return image.size_hw == header.upright_hw


def _turned(
    image: AnnotatedImage, header: _Header, turn: Callable[..., Any], upright: bool
) -> AnnotatedImage:
    """The image with its boxes turned; those in fractions are brought to pixels first."""
    height, width = header.upright_hw if upright else header.size_hw
    objects = []
    for item in image.objects:
        x1, y1, x2, y2 = item.box
        if item.relative:
            x1, y1, x2, y2 = x1 * width, y1 * height, x2 * width, y2 * height
        box = turn((x1, y1, x2, y2), header.size_hw, header.orientation)
        objects.append(replace(item, box=box, relative=False))
    return replace(image, objects=objects)


def _note_orientations(
    headers: list[_Header], turned: int, upright: bool, account: Account
) -> None:
    """Say how many images have an EXIF orientation and what was done about it."""
    count = sum(header.orientation != UPRIGHT for header in headers)
    if not count:
        return
    read = 'read upright' if upright else 'read as stored (--upright reads them upright)'
    boxes = f'; boxes of {turned} of them were turned to these pixels' if turned else ''
    account.note(f'{count} of {len(headers)} images have an EXIF orientation: {read}{boxes}')
