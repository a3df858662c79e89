"""What a folder looks like that no format fits: one line with the remedy."""

import json
import os
import os.path as osp
import re
from collections.abc import Callable, Mapping
from typing import Any

from tcnn_mm.datasets.formats.class_folders import UNREAD_SUFFIXES
from tcnn_mm.datasets.formats.folder_scan import (
    ANNOTATION_FOLDERS,
    FolderScan,
    is_image,
    is_mask,
)
from tcnn_mm.datasets.formats.yolo_lines import looks_like_labels
from tcnn_mm.datasets.image_ids import printable

# Files of one kind that are looked into.
LOOKED_AT = 5
EXPORT = 'export it as COCO or PASCAL VOC'
# Files that hold annotations, with or without images beside them.
TABLES = re.compile(
    r'\.(tfrecords?|record|parquet|jsonl|ndjson|arrow|xlsx?)(-\d+-of-\d+)?$', re.IGNORECASE
)
# A line of an image with labels (Caffe's lists) or boxes (`a.jpg 1,2,30,40,0 …`).
LISTED = re.compile(r'.+\.(?:jpe?g|png|bmp|tiff?|webp|gif)[\s,;]+(\S.*)', re.IGNORECASE)
# Files without images beside them.
BY_SUFFIX = {
    (*UNREAD_SUFFIXES, '.dcm', '.dicom', '.nii', '.nii.gz'): (
        'is an image of a type that is not read: convert the images to JPEG or PNG'
    ),
    ('.npy', '.npz', '.mat', '.h5', '.hdf5', '.pkl', '.pickle', '.mdb', '-ubyte'): (
        'holds arrays: write each image to a file, in one folder per class'
    ),
    ('.zip', '.tar', '.gz', '.tgz', '.rar', '.7z', '.bz2', '.xz', '.zst'): (
        'is packed: unpack it first'
    ),
    ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.wmv'): (
        'is a video: extract its frames and annotate them'
    ),
}


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
    'VoTT': lambda c: _has(c, 'asset', 'regions') or _has(c, 'assets', 'tags'),
    'V7 Darwin': lambda c: _has(c, 'item', 'annotations'),
    'Datumaro': lambda c: _has(c, 'items', 'categories'),
    'Labelbox': lambda c: _has(_first(c), 'data_row') or _has(_first(c), 'Labeled Data'),
    'BDD100K or Scalabel': lambda c: _has(_first(c), 'name', 'labels'),
    'Cityscapes': lambda c: _has(c, 'imgHeight', 'objects'),
    'Label Studio, "JSON-MIN" (take "JSON")': lambda c: (
        isinstance(c, list) and _has(_first(c), 'annotation_id')
    ),
    'COCO without "images", "annotations" or "categories"': lambda c: (
        _has(c, 'images') or _has(c, 'annotations')
    ),
}


def _get(content: Any) -> Any:
    return content.get('classes') if isinstance(content, dict) else None


def recognise_foreign(scan: FolderScan) -> str | None:
    """What the files look like and what to do, in one line; None where nothing is known."""
    table = next((f for f in scan.files if TABLES.search(f)), None)
    for file in _samples(scan, '.json'):
        content = _json(scan.path(file))
        for tool, fits in JSON_TOOLS.items():
            if fits(content):
                return f'{file} is of {tool}: {EXPORT}'
    if table:
        return f'{table} is a table of a type that is not read: {EXPORT}, or write a CSV'
    for kinds, what in BY_SUFFIX.items():
        found = [f for f in scan.files if f.lower().endswith(kinds)]
        if found and not scan.images:
            return f'{found[0]} {what}'
    text = _text_labels(scan)
    if text:
        return text
    masks = [f for f in scan.files if is_mask(f) and is_image(f)]
    if masks:
        return f'{osp.dirname(masks[0])}/ has masks, which are not read: export boxes'
    empty = {osp.dirname(f) for f in scan.images} & _annotation_folders(scan)
    if empty:
        return f'{min(empty)}/ has images, but no annotation file: export boxes'
    if not scan.images:
        return None
    above = _annotations_above(scan)
    if above:
        return f'images without annotations, but {above}/ is beside them: give the folder above'
    table = next(iter(scan.with_suffix('.csv', '.tsv')), None)
    if table:
        return f'{table} names none of the images: write their file names into a column "file"'
    other = next((f for f in _samples(scan, '.json') if _json(scan.path(f)) is not None), None)
    if other:
        return f'{other} is JSON of a form that is not known: {EXPORT}'
    return 'images without annotations: add them, or sort the images into one folder per class'


def _annotations_above(scan: FolderScan) -> str | None:
    """A folder beside the scanned one whose name says that it holds annotations."""
    above = osp.dirname(scan.root)
    names = sorted(n for n in os.listdir(above) if n.lower() in ANNOTATION_FOLDERS)
    return next((n for n in names if osp.join(above, n) != scan.root), None)


def _text_labels(scan: FolderScan) -> str | None:
    """Label files without images, and texts of another form that name images or are called so."""
    stems = {osp.basename(osp.splitext(image)[0]) for image in scan.images}
    for file in _samples(scan, '.txt'):
        if not stems and looks_like_labels(scan.path(file)):
            return f'{file} is of YOLO, without images: put the images beside the label files'
        with open(scan.path(file), encoding='utf-8-sig', errors='replace') as text:
            line = printable(text.readline(200).strip())
        listed = LISTED.match(line)
        if listed and stems:
            what = 'boxes' if listed[1].count(',') >= 4 else 'labels'
            columns = 'file,xmin,ymin,xmax,ymax,label' if what == 'boxes' else 'file,label'
            return f'{file} lists images with {what}: write it as a CSV of {columns}'
        if line and osp.basename(osp.splitext(file)[0]) in stems:
            return (
                f'{file} begins with {line[:60]!r}, which is no line of YOLO (class number, then '
                f'four fractions): {EXPORT}, or YOLO'
            )
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
    except (ValueError, RecursionError):
        return None
