"""The grid of patches of an image (paper, sec. 3)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tcnn_mm.patches.geometry import PAPER_SCALES, grid_boxes
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PatchGrid:
    """Squares of side min(w, h) / λ on a regular grid; see :func:`geometry.grid_boxes`.

    Args:
        scales (sequence[float]): λ, each ≥ 1. Defaults to the paper's nine.
        overlap (float): Share of overlap of adjacent patches, in [0, 1). Defaults to 0.65: 496
            patches on a 500×375 image (the paper: "around 500").
        size (int): Patch side S in network pixels; the grid is whole pixels of the image resized
            for each λ. Defaults to 224.
        stride (float, optional): Step in network pixels; replaces `overlap`.
        snap (int): Offsets are multiples of this many network pixels. Defaults to 1.

    Examples:
        >>> PatchGrid()((375, 500)).shape
        (496, 4)
    """

    def __init__(
        self,
        scales: Sequence[float] = PAPER_SCALES,
        overlap: float = 0.65,
        size: int = 224,
        stride: float | None = None,
        snap: int = 1,
    ) -> None:
        self.scales = tuple(float(scale) for scale in scales)
        if not self.scales or min(self.scales) < 1:
            raise ValueError(f'PatchGrid: scales={scales}; give one or more λ ≥ 1')
        if not 0 <= overlap < 1:
            raise ValueError(f'PatchGrid: overlap={overlap}; it must lie in [0, 1)')
        if stride is not None and stride < 1:
            raise ValueError(f'PatchGrid: stride={stride}; give network pixels ≥ 1')
        self.overlap, self.size, self.stride, self.snap = overlap, int(size), stride, int(snap)
        self._boxes = lru_cache(maxsize=256)(self._make)

    def boxes_at(self, size_hw: tuple[int, int], scale: float) -> np.ndarray:
        """(height, width) in pixels and one λ → (P, 4) float32 xyxy, whatever `scales` says."""
        return grid_boxes(*size_hw, (scale,), self.overlap, self.size, self.stride, self.snap)

    def _make(self, height: int, width: int) -> np.ndarray:
        boxes = grid_boxes(
            height, width, self.scales, self.overlap, self.size, self.stride, self.snap
        )
        boxes.setflags(write=False)  # shared by all images of this shape
        return boxes

    def __call__(self, size_hw: tuple[int, int]) -> np.ndarray:
        """(height, width) in pixels → (P, 4) float32 xyxy, read-only."""
        return self._boxes(int(size_hw[0]), int(size_hw[1]))

    def __getstate__(self) -> dict[str, Any]:
        # The cache does not pickle.
        return {key: value for key, value in vars(self).items() if key != '_boxes'}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._boxes = lru_cache(maxsize=256)(self._make)

    def __repr__(self) -> str:
        return (
            f'PatchGrid(scales={self.scales}, overlap={self.overlap}, size={self.size}, '
            f'stride={self.stride}, snap={self.snap})'
        )
