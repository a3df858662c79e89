"""Checksums of what a feature bank holds of each image: features, boxes and labels of its rows.

A feature file with the right size may still be of another bank, or have been changed on the disk;
its figures would be plausible and wrong.
"""

import os.path as osp
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tcnn_mm.datasets.bank_reading import FILES, open_features, read_rows

# Key of an image's checksum in its record of the manifest.
CHECKSUM = 'checksum'


def row_checksum(
    features: np.ndarray, whole: np.ndarray | None, rows: Mapping[str, np.ndarray], image: int
) -> int:
    """CRC-32 of one image.

    Args:
        features: (flips, N, …) float16, of all images.
        whole: (images, D) float16, or None.
        rows: Boxes (N, 4) and labels (N,), first and sizes (images,).
        image: Its number.
    """
    part = slice(rows['first'][image], rows['first'][image] + rows['sizes'][image])
    value = zlib.crc32(np.ascontiguousarray(rows['boxes'][part], '<f4').data)
    value = zlib.crc32(np.ascontiguousarray(rows['labels'][part], '<i8').data, value)
    for turn in range(len(features)):
        value = zlib.crc32(np.ascontiguousarray(features[turn, part]).data, value)
    return (
        zlib.crc32(np.ascontiguousarray(whole[image]).data, value) if whole is not None else value
    )


def changed_rows(folder: str, manifest: Mapping[str, Any]) -> list[int]:
    """Numbers of the images of a bank whose rows are not those that were written.

    Records without a checksum, of earlier versions, are not compared. Reads all features once:
    0.5 s per GB of one core, spread over eight threads.

    Raises:
        UserError: A file of the bank is absent, or has another size.
    """
    records: Sequence[Mapping[str, Any]] = manifest['pictures']
    known = [number for number, record in enumerate(records) if CHECKSUM in record]
    if not known:
        return []
    rows, shape = read_rows(osp.join(folder, FILES['rows'])), manifest['shape']
    features = open_features(osp.join(folder, FILES['features']), shape)
    path = osp.join(folder, FILES['whole'])
    whole = open_features(path, (len(records), shape[-1])) if osp.isfile(path) else None
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda number: row_checksum(features, whole, rows, number), known)
        return [n for n, value in zip(known, found, strict=True) if value != records[n][CHECKSUM]]
