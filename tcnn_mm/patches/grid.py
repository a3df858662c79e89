"""The grid of patches of an image (paper, sec. 3)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.limits import limit
from tcnn_mm.patches.geometry import PAPER_SCALES, grid_windows, most_windows
from tcnn_mm.patches.windows import GridWindows
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PatchGrid:
    """Squares of side min(w, h) / λ on a regular grid; see :func:`geometry.grid_windows`.

    Args:
        scales (sequence[float]): λ, each ≥ 1. Defaults to the paper's nine.
        overlap (float): Share of overlap of adjacent patches, in [0, 1). Defaults to 0.65: 496
            patches on a 500×375 image (the paper: "around 500").
        size (int): Patch side S in network pixels; the grid is whole pixels of the image resized
            for each λ. Defaults to 224.
        stride (float, optional): Step in network pixels; replaces `overlap`.
        snap (int): Offsets are multiples of this many network pixels. Defaults to 1.

    Examples:
        >>> PatchGrid()((375, 500)).xyxy.shape
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
            raise InvalidValueError(f'PatchGrid: scales={scales}; give one or more λ ≥ 1')
        if not 0 <= overlap < 1:
            raise InvalidValueError(f'PatchGrid: overlap={overlap}; it must lie in [0, 1)')
        if stride is not None and stride < 1:
            raise InvalidValueError(f'PatchGrid: stride={stride}; give network pixels ≥ 1')
        self.overlap, self.size, self.stride, self.snap = overlap, int(size), stride, int(snap)
        self._windows = lru_cache(maxsize=256)(self._make)

    def _at(self, size_hw: tuple[int, int], scales: Sequence[float]) -> GridWindows:
        overlap, size, stride, snap = self.overlap, self.size, self.stride, self.snap
        most = most_windows(*size_hw, scales, overlap, size, stride, snap)
        if most > limit('TCNN_MAX_PATCHES'):
            height, width = size_hw
            raise InvalidValueError(
                f'{width} × {height} pixels: about {most:,} patches, more than '
                f'{limit("TCNN_MAX_PATCHES"):,}; crop the image into shorter pieces, give fewer '
                f'scales, or raise the limit: export TCNN_MAX_PATCHES={most}'
            )
        return grid_windows(*size_hw, scales, overlap, size, stride, snap)

    def windows_at(self, size_hw: tuple[int, int], scale: float) -> GridWindows:
        """(height, width) in pixels and one λ → P windows, whatever `scales` says."""
        return self._at(size_hw, (scale,))

    def _make(self, height: int, width: int) -> GridWindows:
        windows = self._at((height, width), self.scales)
        for array in (windows.xyxy, windows.shapes, windows.offsets):
            array.setflags(write=False)  # shared by all images of this shape
        return windows

    def __call__(self, size_hw: tuple[int, int]) -> GridWindows:
        """(height, width) in pixels → P windows of all scales and their boxes, read-only.

        Raises:
            InvalidValueError: More windows than TCNN_MAX_PATCHES.
        """
        return self._windows(int(size_hw[0]), int(size_hw[1]))

    def __getstate__(self) -> dict[str, Any]:
        # The cache does not pickle.
        return {key: value for key, value in vars(self).items() if key != '_windows'}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._windows = lru_cache(maxsize=256)(self._make)

    def __repr__(self) -> str:
        return (
            f'PatchGrid(scales={self.scales}, overlap={self.overlap}, size={self.size}, '
            f'stride={self.stride}, snap={self.snap})'
        )
