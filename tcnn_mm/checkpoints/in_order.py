"""Weights of a network under other names, in the order of its own."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from tcnn_mm.errors import UserError


def rename_in_order(
    state: Mapping[str, Any], own: Mapping[str, Any], name: str, last: int = 2
) -> dict[str, Any]:
    """Give tensors the names of a network, in order: the first one gets its first name, and so on.

    Args:
        state: Tensors of the file, in its order.
        own: Tensors of the network in its order, perhaps without its classifier.
        name: Of the file, for the error.
        last: So many tensors at the end of the file may be left: the classifier, which is dropped.

    Returns:
        The tensors under the names of `own`.

    Raises:
        UserError: A pair of other shapes, or another number of tensors; names the first pair.
    """
    pairs = list(zip_longest(own, state))
    spare = max(0, len(state) - len(own))
    if spare in (0, last):
        pairs = pairs[: len(own)]
    for own_key, key in pairs:
        shapes = [
            tuple(tensors[k].shape) if k is not None else None
            for tensors, k in ((own, own_key), (state, key))
        ]
        if shapes[0] != shapes[1]:
            raise UserError(
                f'{name}: its tensors are not those of the network in order; first difference: '
                f'file {key} {shapes[1]}, network {own_key} {shapes[0]}'
            )
    return {own_key: state[key] for own_key, key in pairs}
