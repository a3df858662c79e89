"""Batches of images of different sizes."""

from collections.abc import Sequence
from typing import Any

from mmengine.dataset import pseudo_collate as keep_lists

from tcnn_mm.registry import FUNCTIONS


@FUNCTIONS.register_module()
def pseudo_collate(samples: Sequence[Any], _scope_: str | None = None) -> Any:
    """Join samples field by field into lists, without stacking: mmengine's `pseudo_collate`.

    It is mmengine's default, but mmpretrain's tools set `default_collate`, which stacks, where a
    data loader names nothing. mmengine's own function fails in a config that inherits
    `tcnn_mm::…`: its loader passes on the `_scope_` that inheriting adds.

    Args:
        samples: Of one batch, all of one structure.
        _scope_: Ignored.
    """
    return keep_lists(samples)
