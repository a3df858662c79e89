"""Read the files of a feature bank, checked: its manifest, its rows, its features."""

import json
import math
import os
import os.path as osp
import shlex
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tcnn_mm.checkpoints.config_types import short_name
from tcnn_mm.errors import UserError

FILES = dict(
    features='features.f16',
    whole='pictures.f16',
    rows='rows.npz',
    manifest='manifest.json',
    done='done.u8',
    checksums='checksums.u4',
)

# What numpy raises at a file that is no whole archive of arrays of numbers.
READ_ERRORS = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def rebuild_advice(folder: str) -> str:
    """How to have a bank made anew."""
    return f'remove it (rm -r {shlex.quote(folder)}) and give the command again'


def _bank_advice(path: str) -> str:
    """The same, for a file of a bank."""
    return rebuild_advice(osp.dirname(path)).replace('remove it', 'remove the bank')


def missing_target(path: str) -> str | None:
    """What to do about a file of a bank that is a link to nothing; None where it is none.

    Tools that keep large files in a store (git-annex, DataLad, DVC) put links in their place.
    """
    if not osp.islink(path) or osp.exists(path):
        return None
    return (
        f'{path}: a link to {os.readlink(path)}, which is not here; fetch it (git annex get, '
        f'datalad get, dvc pull), or {_bank_advice(path)}'
    )


def flatten(recipe: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Nested dicts → {'a.b': value}."""
    flat: dict[str, Any] = {}
    for key, value in recipe.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f'{prefix}{key}.'))
        else:
            flat[prefix + key] = value
    return flat


def _short_types(flat: dict[str, Any]) -> dict[str, Any]:
    """Types as names: of a config in pure Python they are the paths of classes."""
    return {
        key: short_name(value) if key.endswith('.type') and isinstance(value, str) else value
        for key, value in flat.items()
    }


def recipe_differences(bank: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """List 'key: bank …, config …' for every entry in which two recipes differ."""
    # Through JSON, as the bank's has been: tuples are lists there.
    bank, config = (_short_types(flatten(each)) for each in (bank, json.loads(json.dumps(config))))
    return [
        f'{key}: bank {bank.get(key)!r}, config {config.get(key)!r}'
        for key in sorted(bank.keys() | config.keys())
        if bank.get(key) != config.get(key)
    ]


def read_manifest(folder: str) -> dict[str, Any]:
    """Read the manifest of a bank.

    Raises:
        UserError: It cannot be read, or is no manifest.
    """
    path = osp.join(folder, FILES['manifest'])
    link = missing_target(path)
    if link:
        raise UserError(link)
    try:
        with open(path, encoding='utf-8') as file:
            manifest = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'{path}: cannot be read ({error}); {rebuild_advice(folder)}') from error
    if not isinstance(manifest, dict):
        raise UserError(f'{path}: is no manifest ({repr(manifest)[:40]}); {rebuild_advice(folder)}')
    missing = {'recipe', 'shape', 'classes', 'pictures'} - set(manifest)
    if missing:
        raise UserError(f'{path}: has no {", ".join(sorted(missing))}; {rebuild_advice(folder)}')
    return manifest


def read_rows(path: str) -> dict[str, np.ndarray]:
    """Read boxes (N, 4), labels (N,), first and sizes (images,) of a bank.

    Raises:
        UserError: The file is absent or damaged.
    """
    link = missing_target(path)
    if link:
        raise UserError(link)
    try:
        with np.load(path) as stored:
            return {key: stored[key] for key in ('boxes', 'labels', 'first', 'sizes')}
    except READ_ERRORS as error:
        raise UserError(f'{path}: cannot be read ({error}); {_bank_advice(path)}') from error


def open_features(path: str, shape: Sequence[int]) -> np.memmap:
    """Map a file of float16 features for reading.

    Raises:
        UserError: It is absent, or has another size than `shape` needs.
    """
    link = missing_target(path)
    if link:
        raise UserError(link)
    need = 2 * math.prod(shape)
    found = osp.getsize(path) if osp.isfile(path) else None
    if found != need:
        raise UserError(
            f'{path}: {"is missing" if found is None else f"has {found} bytes"}, the manifest '
            f'needs {need} bytes; {_bank_advice(path)}'
        )
    return np.memmap(path, np.float16, mode='r', shape=tuple(shape))
