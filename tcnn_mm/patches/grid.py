"""Where the patches of a picture are (paper, sec. 3)."""

from functools import lru_cache

from tcnn_mm.patches.geometry import PAPER_SCALES, grid_boxes
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PatchGrid:
    """Squares of side min(w, h) / λ on a regular grid; see :func:`geometry.grid_boxes`.

    Args:
        scales (sequence[float]): λ, each ≥ 1. Defaults to the paper's nine.
        overlap (float): Of neighbours, in [0, 1). Defaults to 0.65: 496 patches on a 500×375
            picture (the paper: "around 500").
        size (int): Patch side S in network pixels; the grid is whole pixels of the picture
            resized for each λ. Defaults to 224.
        stride (float, optional): Step in network pixels; replaces `overlap`.
        snap (int): Offsets are multiples of this many network pixels. Defaults to 1.

    Example:
        >>> PatchGrid()((375, 500)).shape
        (496, 4)
    """

    def __init__(self, scales=PAPER_SCALES, overlap=0.65, size=224, stride=None, snap=1):
        self.scales = tuple(float(scale) for scale in scales)
        if not self.scales or min(self.scales) < 1:
            raise ValueError(f'PatchGrid: scales={scales}; give one or more λ ≥ 1')
        if not 0 <= overlap < 1:
            raise ValueError(f'PatchGrid: overlap={overlap}; it must lie in [0, 1)')
        if stride is not None and stride < 1:
            raise ValueError(f'PatchGrid: stride={stride}; give patch pixels ≥ 1')
        self.overlap, self.size, self.stride, self.snap = overlap, int(size), stride, int(snap)
        self._boxes = lru_cache(maxsize=256)(self._make)

    def _make(self, height, width):
        boxes = grid_boxes(
            height, width, self.scales, self.overlap, self.size, self.stride, self.snap
        )
        boxes.setflags(write=False)  # shared by every picture of this shape
        return boxes

    def __call__(self, size_hw):
        """(height, width) in pixels → (P, 4) float32 xyxy, read-only."""
        return self._boxes(int(size_hw[0]), int(size_hw[1]))

    def __getstate__(self):
        return {key: value for key, value in vars(self).items() if key != '_boxes'}

    def __setstate__(self, state):
        vars(self).update(state)
        self._boxes = lru_cache(maxsize=256)(self._make)

    def __repr__(self):
        return (
            f'PatchGrid(scales={self.scales}, overlap={self.overlap}, size={self.size}, '
            f'stride={self.stride}, snap={self.snap})'
        )
