"""Checkpoints as `.safetensors` files: tensors, and `meta` as JSON text."""

import json
import os
from types import ModuleType
from typing import Any

import torch

from tcnn_mm.errors import UserError

SAFETENSORS = '.safetensors'
# The format's metadata are text by name; ours is the checkpoint's `meta` as JSON.
META_KEY = 'tcnn_mm_meta'


def read_safetensors(path: str, device: Any = 'cpu') -> dict[str, Any]:
    """Read `state_dict`, and `meta` where :func:`write_safetensors` wrote it.

    Raises:
        UserError: A damaged file; safetensors is not installed.
    """
    package = _package(path)
    try:
        with package.safe_open(path, 'pt', device=str(device or 'cpu')) as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            meta = json.loads((file.metadata() or {}).get(META_KEY, '{}'))
    except (package.SafetensorError, ValueError) as error:
        raise UserError(f'{path}: damaged checkpoint ({str(error).splitlines()[0]})') from error
    return dict(meta=meta, state_dict=state)


def write_safetensors(path: str | os.PathLike, checkpoint: dict[str, Any]) -> None:
    """Write `state_dict` and `meta` of a checkpoint.

    Raises:
        UserError: safetensors is not installed.
    """
    text = {META_KEY: json.dumps(checkpoint['meta'])}
    # It knows no other memory layout (ours is channels_last) and no shared memory.
    state = {
        key: value.clone(memory_format=torch.contiguous_format)
        for key, value in checkpoint['state_dict'].items()
    }
    _package(path).torch.save_file(state, path, text)


def _package(path: str | os.PathLike) -> ModuleType:
    """The optional package, or one line that says how to get it."""
    try:
        import safetensors.torch
    except ImportError as error:
        raise UserError(f'{path}: needs safetensors; pip install safetensors') from error
    return safetensors
