"""Write a VOC folder for a test, with the parts and the faults that it needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


def voc_xml(
    objects: Sequence[dict[str, Any]],
    size_hw: tuple[int, int] | None = None,
    corners: Sequence[str] = CORNERS,
) -> str:
    """Write one annotation as text.

    Args:
        objects (list[dict]): name, box (xmin, ymin, xmax, ymax as VOC counts, from 1);
            difficult and truncated are written where given.
        size_hw (tuple, optional): (height, width); None writes no <size>.
        corners (sequence[str]): The order in which a box's corners are written.
    """
    rows = ['<annotation>']
    if size_hw is not None:
        rows.append(f'<size><width>{size_hw[1]}</width><height>{size_hw[0]}</height></size>')
    for item in objects:
        box = dict(zip(CORNERS, item['box'], strict=True))
        flags = [f'<{f}>{item[f]:d}</{f}>' for f in ('truncated', 'difficult') if f in item]
        edges = ''.join(f'<{corner}>{box[corner]}</{corner}>' for corner in corners)
        rows.append(
            f'<object><name>{item["name"]}</name>{"".join(flags)}<bndbox>{edges}</bndbox></object>'
        )
    return '\n'.join([*rows, '</annotation>']) + '\n'


def write_voc_folder(
    root: Path,
    images: dict[str, tuple],
    splits: dict[str, Any] | None = None,
    extension: str = '.png',
    with_size: bool = True,
) -> Path:
    """Write Annotations, ImageSets/Main and JPEGImages below `root`.

    Args:
        root (Path): The folder, made when it is not there.
        images (dict): id → (image, objects). The image is an (H, W), (H, W, 3) uint8 array,
            or None for none; `objects` are those of :func:`voc_xml`, or None for no XML.
        splits (dict, optional): Name of a list → ids, or the file's text as it is. Defaults to
            one list, trainval, of all ids.
        extension (str): Of the images. Defaults to '.png', which keeps every pixel.
        with_size (bool): Whether annotations name their image's size.

    Returns:
        Path: `root`.
    """
    for part in ('Annotations', 'ImageSets/Main', 'JPEGImages'):
        (root / part).mkdir(parents=True, exist_ok=True)
    for image_id, (image, objects) in images.items():
        if image is not None:
            Image.fromarray(image).save(root / 'JPEGImages' / f'{image_id}{extension}')
        if objects is not None:
            size_hw = image.shape[:2] if with_size and image is not None else None
            (root / 'Annotations' / f'{image_id}.xml').write_text(voc_xml(objects, size_hw))
    for split, ids in (splits or {'trainval': list(images)}).items():
        text = ids if isinstance(ids, str) else '\n'.join(ids) + '\n'
        # Bytes, so that a test's CRLF arrives as it is.
        (root / 'ImageSets' / 'Main' / f'{split}.txt').write_bytes(text.encode())
    return root
