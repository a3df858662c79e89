"""What a feature bank was made of: annotations and image files, compared with those of today."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.datasets.image_io import check_regular
from tcnn_mm.errors import UserError

Record = dict[str, Any]

# Bytes at each end of an image file that its digest covers.
END = 1 << 16
ANNOTATIONS = (
    'gt_label', 'gt_label_difficult', 'gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult',
)  # fmt: skip


# What a bank reads of an item.
NEEDED = (
    'img_id', 'img_path', 'gt_label', 'gt_label_difficult', 'gt_bboxes', 'gt_bboxes_labels',
    'gt_bboxes_difficult',
)  # fmt: skip


def refuse_unknown_items(dataset: BaseDataset) -> None:
    """Raise a UserError for a data set whose items lack what a bank reads of them."""
    lacking = [key for key in NEEDED if key not in dataset.get_data_info(0)] if len(dataset) else []
    if lacking:
        raise UserError(
            f'{type(dataset).__name__}: its items have no {", ".join(lacking)}, which a feature '
            'bank reads; docs/guides/add_a_data_set.md shows a data set with them'
        )


def image_record(
    info: Mapping[str, Any], size_hw: tuple[int, int], objects: np.ndarray
) -> dict[str, Any]:
    """Return what a manifest keeps of an image: id, path, labels, size and objects (N, 4)."""
    record = {k: info[k] for k in ('img_id', 'img_path', 'gt_label', 'gt_label_difficult')}
    return dict(
        record,
        img_id=str(info['img_id']),
        size_hw=list(size_hw),
        gt_bboxes=objects.tolist(),
        gt_bboxes_labels=info['gt_bboxes_labels'].tolist(),
        gt_bboxes_difficult=info['gt_bboxes_difficult'].tolist(),
    )


def annotation_record(info: Mapping[str, Any], size_hw: tuple[int, int]) -> Record:
    """The record of an image whose size (height, width) is known."""
    objects, _ = clip_boxes(info['gt_bboxes'], *size_hw, info['img_path'])
    return image_record(info, size_hw, objects)


def image_digest(path: str) -> str:
    """'SIZE-DIGEST' of an image file: its bytes, and 16 hex digits over its first and last 64 KiB.

    Files up to 128 KiB are read whole. Times do not count: a copy of a data set has the same
    digests. Files of a remote store are not read: 'remote'.

    Raises:
        UserError: The file cannot be read, or is no file: a pipe would never end.
    """
    if not check_regular(path):
        return 'remote'
    try:
        with open(path, 'rb') as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha256(file.read(END))
            if size > END:
                file.seek(max(END, size - END))
                digest.update(file.read(END))
    except OSError as error:
        raise UserError(f'{printable(path)}: cannot be read ({error.strerror})') from error
    return f'{size}-{digest.hexdigest()[:16]}'


def image_digests(dataset: BaseDataset) -> list[str]:
    """Digests of the image files of a data set, in its order."""
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(image_digest, paths))


def replaced_images(records: Sequence[Mapping[str, Any]], digests: Sequence[str]) -> list[str]:
    """Ids of the images whose files are others; a record without a digest is not compared."""
    return [
        record['img_id']
        for record, digest in zip(records, digests, strict=True)
        if record.get('digest', digest) != digest
    ]


def changed_annotations(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Ids of the images whose labels, boxes or flags differ; keys missing before are skipped."""
    return [
        new['img_id']
        for old, new in zip(before, now, strict=True)
        if any(_plain(old[k]) != _plain(new[k]) for k in ANNOTATIONS if k in old)
    ]


def _plain(value: Any) -> Any:
    """As JSON gives it: lists for tuples and arrays."""
    return np.asarray(value).tolist()


def some_ids(ids: Sequence[str], most: int = 3) -> str:
    """'2 images (a, b)', '20 images (a, b, c, …)'."""
    shown = ', '.join([*map(printable, ids[:most]), *(['…'] if len(ids) > most else [])])
    return f'{len(ids)} image{"s" if len(ids) > 1 else ""} ({shown})'
