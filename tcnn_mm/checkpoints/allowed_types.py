"""The types beside tensors that a checkpoint may hold when it is read as data only."""

import functools
import pickle
from collections.abc import Mapping
from typing import Any

from mmengine.logging.history_buffer import HistoryBuffer

from tcnn_mm.checkpoints.numeric_arrays import (
    NumericArray,
    NumericDtype,
    array_class,
    latin1,
    new_array,
    new_scalar,
    no_bytes,
)


@functools.cache
def allowed_types() -> Mapping[str, Any]:
    """Name in a pickle → what stands for it: mmengine's log buffers, numbers of numpy."""
    allowed: dict[str, Any] = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'numpy.ndarray': array_class,
        # To be filled, and never to be made: a pickle can give no name without a dot.
        'NumericArray': NumericArray,
        'numpy.dtype': NumericDtype,
        '_codecs.encode': latin1,
        'builtins.bytes': no_bytes,
        '__builtin__.bytes': no_bytes,
        'builtins.getattr': history_attribute,
        '__builtin__.getattr': history_attribute,
    }
    for core in ('numpy.core', 'numpy._core'):  # numpy 2 moved the private module
        allowed[f'{core}.multiarray._reconstruct'] = new_array
        allowed[f'{core}.multiarray.scalar'] = new_scalar
    return allowed


def history_attribute(owner: Any, name: str) -> Any:
    """The one use of `getattr` in mmengine's files: the statistics of its log buffers."""
    if owner is not HistoryBuffer or not isinstance(name, str) or name.startswith('_'):
        raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r})')
    return getattr(owner, name)
