"""Hostile lists of ids and parts of feature banks: name → (reader, suffix, content)."""

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from tcnn_mm.datasets.bank_reading import read_manifest, read_rows
from tcnn_mm.datasets.formats.id_list import read_ids


def npz(**entries: bytes) -> bytes:
    """An archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for name, data in entries.items():
            archive.writestr(f'{name}.npy', data)
    return file.getvalue()


def npy(header: str) -> bytes:
    """An array file with this header and no data."""
    text = header.encode() + b'\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(text)) + text


def objects() -> bytes:
    """An array of objects, which numpy would unpickle."""
    file = io.BytesIO()
    np.save(file, np.array([dict()], dtype=object), allow_pickle=True)
    return file.getvalue()


HUGE = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}")
CODE = npy("{'descr': __import__('os').mkdir('ran'), 'fortran_order': False, 'shape': ()}")
Case = tuple[Callable[[str], Any], str, bytes]
OTHERS: dict[str, Case] = {
    'ids_empty': (read_ids, 'ids.txt', b''),
    'ids_utf16': (read_ids, 'ids.txt', 'a\nb'.encode('utf-16')),
    'ids_duplicate': (read_ids, 'ids.txt', b'a\nb\na\n'),
    'ids_control': (read_ids, 'ids.txt', b'\x1b[31ma\n\x1b[31ma\n'),
    'manifest_empty': (read_manifest, 'manifest.json', b''),
    'manifest_list': (read_manifest, 'manifest.json', b'[]'),
    'manifest_number': (read_manifest, 'manifest.json', b'3'),
    'manifest_nested': (read_manifest, 'manifest.json', b'[' * 100_000),
    'manifest_binary': (read_manifest, 'manifest.json', b'\xff\0' * 50),
    'rows_empty': (read_rows, 'rows.npz', b''),
    'rows_text': (read_rows, 'rows.npz', b'hello'),
    'rows_half': (read_rows, 'rows.npz', npz(boxes=HUGE)[:50]),
    'rows_objects': (read_rows, 'rows.npz', npz(boxes=objects())),
    'rows_code': (read_rows, 'rows.npz', npz(boxes=CODE)),
    'rows_huge': (read_rows, 'rows.npz', npz(boxes=HUGE)),
    'rows_lacking': (read_rows, 'rows.npz', npz(other=HUGE)),
}
