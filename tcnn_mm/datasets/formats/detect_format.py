"""Find out which format a folder of annotated images has: a decision with evidence."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    Box,
    Reading,
)
from tcnn_mm.datasets.formats.class_folders import find_class_folders
from tcnn_mm.datasets.formats.coco_folder import find_coco
from tcnn_mm.datasets.formats.cvat_xml import find_cvat
from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.foreign import recognise_foreign
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.label_json import find_label_json
from tcnn_mm.datasets.formats.label_studio import find_label_studio
from tcnn_mm.datasets.formats.table_folder import find_table
from tcnn_mm.datasets.formats.voc_folder import find_voc
from tcnn_mm.datasets.formats.yolo import find_yolo
from tcnn_mm.errors import UserError

Finder = Callable[[FolderScan, ImageIndex], Reading | None]
# By the name that `--format` takes.
FINDERS: Mapping[str, Finder] = {
    'voc': find_voc,
    'coco': find_coco,
    'table': find_table,
    'json': find_label_json,
    'yolo': find_yolo,
    'cvat': find_cvat,
    'label-studio': find_label_studio,
    'folders': find_class_folders,
}
# Pixels by which boxes of the same object may differ between formats.
NEAR = 1.5


def detect_format(
    scan: FolderScan, index: ImageIndex, wanted: str | None = None, group: str | None = None
) -> Reading:
    """Choose how to read a folder.

    Where several formats fit but say the same, the one with boxes is chosen.

    Args:
        scan: The listing of the folder.
        index: Of its images.
        wanted: A key of :data:`FINDERS`: only this format. Defaults to the only one that fits.
        group: Heading of a column of groups: then only tables are read.

    Returns:
        The reading.

    Raises:
        UserError: No format fits, or several do and differ; says what was found, and how to
            choose.
    """
    place = scan.path(scan.only) if scan.only else scan.root
    finders = FINDERS if wanted is None else {wanted: FINDERS[wanted]}
    if group is not None:
        if wanted not in (None, 'table'):
            raise UserError(f'{place}: tcnn fit --group names a column of a CSV, not of {wanted}')
        finders, wanted = {'table': functools.partial(find_table, group=group)}, 'table'
    found = [reading for reading in (find(scan, index) for find in finders.values()) if reading]
    if not found:
        said = f'nothing of the format {wanted}' if wanted else 'no annotations of a known format'
        looks = recognise_foreign(scan) or KNOWN
        raise UserError(f'{place}: {said}; found {contents(scan)}; {looks}')
    if len(found) == 1:
        return found[0]
    same = _the_same(found)
    if same is None:
        ways = '; '.join(f'{reading.evidence} (--format {reading.format})' for reading in found)
        raise UserError(f'{place}: can be read in {len(found)} ways, choose one: {ways}')
    return same


def _the_same(readings: Sequence[Reading]) -> Reading | None:
    """The reading to use of several that give the same images the same labels; else None.

    Folders that cannot be read as classes, or whose names are none of the classes that another
    format names, are no classes.
    """
    read = []
    for reading in readings:
        try:
            read.append((reading, reading.read(Account())))
        except UserError:
            if reading.format != 'folders':
                return None
    classes = {n for reading, data in read if reading.format != 'folders' for n in data.classes}
    read = [(r, data) for r, data in read if r.format != 'folders' or classes & {*data.classes}]
    # The reading with most images, of several the one with boxes, has to contain the others.
    chosen, most = max(read, key=lambda pair: (len(pair[1].images), pair[1].boxes))
    others = [(reading, data) for reading, data in read if reading is not chosen]
    if not all(_contains(most, data) for _, data in others):
        return None
    if not others:
        return chosen
    evidence = named([reading.evidence for reading, _ in others])
    return chosen._replace(evidence=f'{chosen.evidence} (the same labels: {evidence})')


def _contains(most: AnnotatedImages, other: AnnotatedImages) -> bool:
    """Whether one reading says of each image of another the same, boxes included."""
    if other.boxes and not (most.boxes and _boxes_agree(most, other)):
        return False
    labels = _labels(most)
    return bool(other.images) and all(
        labels.get(file) == names for file, names in _labels(other).items()
    )


def _labels(data: AnnotatedImages) -> dict[str, set[str]]:
    """The classes of each image, without those of difficult objects alone."""
    return {
        image.file: {*image.labels, *(o.name for o in image.objects if not o.difficult)}
        for image in data.images
    }


def _boxes_agree(most: AnnotatedImages, other: AnnotatedImages) -> bool:
    """Whether each image of one reading has the same objects in another, to a pixel or so.

    Tools round, and some count pixels from 0 where others count from 1.
    """
    sizes = {i.file: i.size_hw for i in (*most.images, *other.images) if i.size_hw}
    known = {image.file: _boxes(image, sizes) for image in most.images}
    for image in other.images:
        mine, its = _boxes(image, sizes), known.get(image.file)
        if its is None or [name for name, _ in mine] != [name for name, _ in its]:
            return False
        pairs = zip(mine, its, strict=True)
        if any(abs(a - b) > NEAR for (_, x), (_, y) in pairs for a, b in zip(x, y, strict=True)):
            return False
    return True


def _boxes(image: AnnotatedImage, sizes: dict[str, tuple[int, int]]) -> list[tuple[str, Box]]:
    """The objects of an image, sorted; boxes in fractions in pixels where its size is known."""
    height, width = sizes.get(image.file, (1, 1))
    found = []
    for item in image.objects:
        x1, y1, x2, y2 = item.box
        if item.relative:
            x1, y1, x2, y2 = x1 * width, y1 * height, x2 * width, y2 * height
        found.append((item.name, (x1, y1, x2, y2)))
    return sorted(found)


KNOWN = (
    'known are VOC (XML files), COCO (JSON), YOLO (txt), CVAT (XML), Label Studio (JSON), a CSV of '
    'file,label or of boxes, and one folder per class'
)


def contents(scan: FolderScan) -> str:
    """What is in a folder: its files by suffix, in words."""
    if not scan.files:
        return 'no file'
    counts = Counter({suffix or 'without suffix': n for suffix, n in scan.suffixes().items()})
    return named([f'{count} {suffix}' for suffix, count in counts.most_common()])
