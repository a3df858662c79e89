"""What a folder looks like that no format fits: one line with the remedy."""

import json
import os.path as osp
from collections.abc import Callable, Mapping
from typing import Any

from tcnn_mm.datasets.formats.folder_scan import (
    ANNOTATION_FOLDERS,
    FolderScan,
    is_image,
    is_mask,
)

# Files of one kind that are looked into.
LOOKED_AT = 5
EXPORT = 'export it as COCO or PASCAL VOC'
PACKED = ('.zip', '.tar', '.gz', '.tgz', '.rar', '.7z')
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm')


def _has(content: Any, *keys: str) -> bool:
    return isinstance(content, dict) and all(key in content for key in keys)


def _first(content: Any) -> Any:
    values = content.values() if isinstance(content, dict) else content
    return next(iter(values), None) if isinstance(content, (dict, list)) else None


# By the form of a JSON file.
JSON_TOOLS: Mapping[str, Callable[[Any], bool]] = {
    'LabelMe': lambda c: _has(c, 'shapes', 'imagePath'),
    'VGG Image Annotator (VIA)': lambda c: (
        _has(c, '_via_img_metadata') or _has(_first(c), 'filename', 'regions')
    ),
    'Supervisely': lambda c: _has(c, 'size', 'objects') or _has(_first(_get(c)), 'title', 'shape'),
    'CreateML': lambda c: isinstance(c, list) and _has(_first(c), 'image', 'annotations'),
    "Label Studio's own JSON": lambda c: isinstance(c, list) and _has(_first(c), 'data'),
    'COCO without "images", "annotations" or "categories"': lambda c: (
        _has(c, 'images') or _has(c, 'annotations')
    ),
}


def _get(content: Any) -> Any:
    return content.get('classes') if isinstance(content, dict) else None


def recognise_foreign(scan: FolderScan) -> str | None:
    """What the files look like and what to do, in one line; None where nothing is known."""
    suffixes = scan.suffixes()
    for file in _samples(scan, '.json'):
        content = _json(scan.path(file))
        for tool, fits in JSON_TOOLS.items():
            if fits(content):
                return f'{file} is of {tool}: {EXPORT}'
    if suffixes['.tfrecord'] or suffixes['.record']:
        return f'TFRecord files: {EXPORT}'
    if suffixes['.parquet']:
        return f'Parquet files: {EXPORT}, or write a CSV of file,label'
    packed = [f for f in scan.files if f.lower().endswith(PACKED)]
    if packed and not scan.images:
        return f'{packed[0]} is packed: unpack it first'
    videos = [f for f in scan.files if f.lower().endswith(VIDEOS)]
    if videos and not scan.images:
        return f'{videos[0]} is a video: extract its frames and annotate them'
    masks = [f for f in scan.files if is_mask(f) and is_image(f)]
    if masks:
        return f'{osp.dirname(masks[0])}/ has masks, which are not read: export boxes'
    empty = {osp.dirname(f) for f in scan.images} & _annotation_folders(scan)
    if empty:
        return f'{min(empty)}/ has images, but no annotation file: export boxes'
    if scan.images:
        return 'images without annotations: add them, or sort the images into one folder per class'
    return None


def _annotation_folders(scan: FolderScan) -> set[str]:
    """Folders whose name says that they hold annotations."""
    folders = {osp.dirname(file) for file in scan.files}
    return {folder for folder in folders if osp.basename(folder).lower() in ANNOTATION_FOLDERS}


def _samples(scan: FolderScan, suffix: str) -> list[str]:
    """The first files of each folder with a suffix."""
    counts: dict[str, int] = {}
    found = []
    for file in scan.with_suffix(suffix):
        folder = osp.dirname(file)
        counts[folder] = counts.get(folder, 0) + 1
        if counts[folder] <= LOOKED_AT:
            found.append(file)
    return found


def _json(path: str) -> Any:
    """The content of a JSON file; None where it is none."""
    try:
        with open(path, encoding='utf-8-sig', errors='replace') as file:
            return json.load(file)
    except ValueError:
        return None
