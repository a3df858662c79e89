"""Chunks keep rows and their order."""

import torch

from tcnn_mm.models.encoder.patch_encoder import regroup


def test_regroup_keeps_rows_and_order():
    """Pieces of any lengths become chunks of one size without loss or reordering."""
    pieces = [torch.arange(n) + 100 * n for n in (3, 0, 5, 1, 9)]
    chunks = list(regroup(pieces, 4))
    assert [len(c) for c in chunks] == [4, 4, 4, 4, 2]
    assert torch.equal(torch.cat(chunks), torch.cat(pieces))
    assert list(regroup([], 4)) == []
