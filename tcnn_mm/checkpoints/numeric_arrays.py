"""What numpy's pickles call, for arrays and scalars of numbers alone.

numpy's own functions take the layout of an array from the file: with a dtype of objects, its bytes
become addresses.
"""

import pickle
import re
from typing import Any

import numpy as np

# Booleans, integers, floats, complex numbers, and text of a fixed length.
CODE = re.compile(r'[biufc]\d{1,2}|[?bBhHiIlLqQefdFD]|U\d{1,6}')
# numpy's state of a dtype without fields: version, byte order, subarray, names, fields, itemsize,
# alignment, flags. Sizes are -1 where the code says them.
DTYPE_STATE = 8
ORDERS = '<>|='


class NumericDtype:
    """Stands for `numpy.dtype(code, align, copy)` while a file is read."""

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise pickle.UnpicklingError(f'a numpy dtype {str(code)[:20]!r}, which is no number')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; fields, a subarray and flags are of no number."""
        if not isinstance(state, tuple) or len(state) != DTYPE_STATE or state[1] not in [*ORDERS]:
            raise pickle.UnpicklingError('a numpy dtype that is no number')
        text = self.dtype.kind == 'U'
        if any(state[2:5]) or (state[7] & ~8 if text else state[7]):
            raise pickle.UnpicklingError('a numpy dtype that is no number')
        self.dtype = self.dtype.newbyteorder(state[1])


class NumericArray(np.ndarray):
    """An array while a file is read: its bytes must be as many as its shape needs.

    It is saved as numpy's own array.
    """

    def __setstate__(self, state: Any) -> None:
        """Set shape, dtype and values: (version, shape, dtype, in Fortran's order, bytes)."""
        version, shape, dtype, fortran, data = state
        if not isinstance(dtype, NumericDtype) or not isinstance(data, bytes):
            raise pickle.UnpicklingError('a numpy array that is not of numbers')
        if not all(type(size) is int and size >= 0 for size in shape):
            raise pickle.UnpicklingError(f'a numpy array of shape {shape!r}')
        needed = dtype.dtype.itemsize * int(np.prod([int(s) for s in shape], dtype=object))
        if needed != len(data):
            raise pickle.UnpicklingError(f'a numpy array of {len(data)} bytes, {needed} needed')
        checked: Any = (version, shape, dtype.dtype, bool(fortran), data)
        super().__setstate__(checked)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)


def array_class(*args: Any) -> Any:
    """Stands for the name `numpy.ndarray`, which a file may give to :func:`new_array` alone."""
    raise pickle.UnpicklingError('a call of numpy.ndarray')


def new_array(kind: Any, shape: Any, code: Any) -> NumericArray:
    """Stands for `_reconstruct`: an empty array whose content follows."""
    if kind is not array_class:
        raise pickle.UnpicklingError('a numpy array of another class')
    return NumericArray((0,), dtype='b')


def new_scalar(dtype: Any, data: Any = None) -> Any:
    """Stands for `scalar`: one number of its bytes."""
    if not isinstance(dtype, NumericDtype) or not isinstance(data, bytes):
        raise pickle.UnpicklingError('a numpy scalar that is no number')
    if len(data) != dtype.dtype.itemsize:
        raise pickle.UnpicklingError('a numpy scalar of a wrong size')
    return np.frombuffer(data, dtype.dtype)[0] if data else np.str_()


def latin1(text: Any, encoding: Any = 'latin1') -> bytes:
    """Stands for `codecs.encode`, by which bytes are stored in protocol 2."""
    if not isinstance(text, str) or encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'codecs.encode(…, {str(encoding)[:20]!r})')
    return text.encode('latin1')


def no_bytes() -> bytes:
    """Stands for `bytes`, by which protocol 2 stores the content of an empty array."""
    return b''
