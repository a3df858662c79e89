"""The types beside tensors that a checkpoint may hold when it is read as data only."""

import codecs
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer


def allowed_types() -> list[Any]:
    """Types and functions of mmengine's own checkpoints: log buffers and numpy scalars."""
    scalars: list[Any] = [np.dtype, np.ndarray]
    scalars += [type(np.dtype(kind)) for kind in 'bBhHiIlLqQefd?U']
    # numpy's bytes pass through codecs.encode.
    return [HistoryBuffer, *_numpy_functions(), codecs.encode, *_getattr_functions(), *scalars]


@contextmanager
def allowing(types: Sequence[Any]) -> Iterator[None]:
    """Allow types to weights-only loading inside the block: torch 2.4 has no `safe_globals`."""
    before = list(torch.serialization.get_safe_globals())
    torch.serialization.add_safe_globals(list(types))
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def _numpy_functions() -> list[Any]:
    """What numpy's arrays and scalars are pickled by."""
    try:
        from numpy._core import multiarray
    except ImportError:  # numpy 1
        from numpy.core import multiarray  # type: ignore[no-redef]
    return [getattr(multiarray, name) for name in ('_reconstruct', 'scalar')]


def _history_attribute(owner: Any, name: str) -> Any:
    """The one use of `getattr` in mmengine's files: the statistics of its log buffers."""
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r})')
    return getattr(owner, name)


def _getattr_functions() -> list[FunctionType]:
    """Copies of `_history_attribute` that unpickle as the builtin `getattr`."""
    copies = []
    for module in ('builtins', '__builtin__'):
        copy = FunctionType(_history_attribute.__code__, _history_attribute.__globals__, 'getattr')
        copy.__module__, copy.__qualname__ = module, 'getattr'
        copies.append(copy)
    return copies
