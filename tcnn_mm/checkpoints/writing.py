"""Write checkpoint files."""

import os
from typing import Any

import torch

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.checkpoints.safetensors_file import SAFETENSORS, write_safetensors


def write_checkpoint(path: str | os.PathLike, checkpoint: dict[str, Any]) -> None:
    """Write a checkpoint file, which is complete or absent.

    Args:
        path: Ends in `.safetensors` for that format; any other name gives torch's.
        checkpoint: For safetensors, `state_dict` and `meta` alone are written.
    """
    with atomic_path(path, durable=True) as draft:
        if os.fspath(path).endswith(SAFETENSORS):
            write_safetensors(draft, checkpoint)
        else:
            # A path would be opened by torch, whose errors have neither number nor file.
            with open(draft, 'wb') as file:
                torch.save(checkpoint, file)
