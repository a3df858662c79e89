"""Chunks of one size from tensors of any lengths: what bounds the memory of a pass."""

from collections.abc import Iterable, Iterator

import torch


def regroup(pieces: Iterable[torch.Tensor], elements: int) -> Iterator[torch.Tensor]:
    """Yield tensors of at most `elements` numbers, at least one row each, in order.

    All but the last have the same number of rows. A piece of just that size is not copied.
    """
    waiting: list[torch.Tensor] = []
    rows, size = 0, 0
    for piece in pieces:
        if not len(piece):
            continue
        size = size or max(1, elements // piece[0].numel())
        waiting.append(piece)
        rows += len(piece)
        while rows >= size:
            joined = waiting[0] if len(waiting) == 1 else torch.cat(waiting)
            yield joined[:size]
            rows -= size
            waiting = [joined[size:]] if rows else []
    if rows:
        yield waiting[0] if len(waiting) == 1 else torch.cat(waiting)
