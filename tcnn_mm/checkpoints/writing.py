"""Write checkpoint files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
            with _errors_of_the_system(path), open(draft, 'wb') as file:
                torch.save(checkpoint, file)


@contextmanager
def _errors_of_the_system(path: str | os.PathLike) -> Iterator[None]:
    """Raise what the system said of a file in place of torch's error that follows from it.

    torch ends its archive also after a failed write, and finds it to be too short.
    """
    try:
        yield
    except (RuntimeError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__context__
        if cause is None:
            raise
        raise OSError(cause.errno, cause.strerror, os.fspath(path)) from error
