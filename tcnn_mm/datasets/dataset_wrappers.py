"""What is inside data sets of data sets: mmengine's ConcatDataset, RepeatDataset, ClassBalanced…

A wrapper names its parts `datasets`, or its one part `dataset`, in its config and when it is built.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

KEYS = ('dataset', 'datasets')


def inner_configs(config: Any) -> Iterator[Any]:
    """Configs of the data sets that a config names: the innermost ones, in order.

    A config without parts is its own only one.
    """
    parts = [part for key in KEYS for part in _listed(config.get(key))]
    parts = [part for part in parts if isinstance(part, Mapping)]
    if not parts:
        yield config
    for part in parts:
        yield from inner_configs(part)


def replace_inner(config: Mapping[str, Any], replace: Callable[[Any], Any]) -> dict[str, Any]:
    """A config with `replace(part)` in the place of each innermost config."""
    copied, found = dict(config), False
    for key in KEYS:
        value = config.get(key)
        if isinstance(value, Mapping):
            copied[key], found = replace_inner(value, replace), True
        elif isinstance(value, (list, tuple)) and any(isinstance(v, Mapping) for v in value):
            copied[key] = [
                replace_inner(v, replace) if isinstance(v, Mapping) else v for v in value
            ]
            found = True
    return copied if found else dict(replace(config))


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """The innermost data sets of one that is built; itself where it wraps none."""
    parts = [part for key in KEYS for part in _listed(getattr(dataset, key, None))]
    if not parts:
        yield dataset
    for part in parts:
        yield from inner_datasets(part)


def _listed(part: Any) -> Sequence[Any]:
    """Several parts, one, or none."""
    if part is None:
        return ()
    return part if isinstance(part, (list, tuple)) else (part,)
