"""The types beside tensors that a checkpoint may hold when it is read as data only."""

import codecs
import pickle
from types import FunctionType
from typing import Any

import numpy as np
from mmengine.logging.history_buffer import HistoryBuffer

from tcnn_mm.compat import numpy_pickle_functions


def allowed_types() -> list[Any]:
    """Types and functions of mmengine's own checkpoints: log buffers and numpy scalars."""
    scalars: list[Any] = [np.dtype, np.ndarray]
    scalars += [type(np.dtype(kind)) for kind in 'bBhHiIlLqQefd?U']
    # numpy's bytes pass through codecs.encode.
    return [
        HistoryBuffer,
        *numpy_pickle_functions(),
        codecs.encode,
        *_getattr_functions(),
        *scalars,
    ]


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
