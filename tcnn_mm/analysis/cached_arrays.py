"""Arrays that take minutes to compute, kept in a file."""

import json
import os
import os.path as osp
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_path

Arrays = dict[str, Any]


def cached_arrays(path: str, recipe: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Return arrays from a file of the same recipe, or compute and write them.

    Args:
        path: An npz file.
        recipe: Everything that the arrays depend on, in JSON's types.
        make: Computes the arrays.
    """
    text = json.dumps(recipe, sort_keys=True, default=str)
    if osp.isfile(path):
        with np.load(path) as stored:
            if str(stored['recipe']) == text:
                return {key: stored[key] for key in stored.files if key != 'recipe'}
    arrays = make()
    os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
    with atomic_path(path, '.npz') as draft:  # numpy's own ending
        np.savez(draft, recipe=np.array(text), **arrays)
    return arrays
