"""Every window of a picture, at scales that the picture is resized to; no object is looked at."""

import numpy as np

from tcnn_mm.patches.geometry import grid_boxes
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.sampler import Patches, RandomKey, keyed_generator
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ScaleSampler:
    """All windows: at one random scale in training, at several at test; annotations are unread.

    For image labels alone (Oquab et al., "Is object localization for free?", CVPR 2015). A
    picture at factor s has a shorter side of s · `base` patches, so its windows are those of
    λ = s · `base`; a picture smaller than a patch is enlarged to it (λ = 1).

    Args:
        grid (dict, optional): Of `PatchGrid`, without `scales`. Its step (`stride`, `overlap`)
            is that of the windows.
        base (float): Shorter side in patches at s = 1. Defaults to 375 / 224: VOC's pictures as
            they are stored, 224-px patches.
        jitter (tuple[float, float]): Training: one s ~ U(low, high) a key. Defaults to (0.7, 1.4),
            as in the authors' code.
        factors (sequence[float]): Test: each s. Defaults to (0.5, 0.7, 1, 1.4, 2, 2.8), as there.
    """

    def __init__(
        self,
        grid=None,
        base=375 / 224,
        jitter=(0.7, 1.4),
        factors=(0.5, 0.7, 1.0, 1.4, 2.0, 2.8),
    ):
        grid = dict(grid or {})
        if 'scales' in grid:
            raise ValueError('ScaleSampler: grid has scales; give factors (λ = factor · base)')
        if not (base > 0 and 0 < jitter[0] <= jitter[1] and factors and min(factors) > 0):
            raise ValueError(
                f'ScaleSampler: base={base}, jitter={jitter}, factors={factors}; each must be > 0, '
                'and jitter (low, high)'
            )
        self.base, self.jitter, self.factors = float(base), tuple(jitter), tuple(factors)
        grid.pop('type', None)
        # Factors too small for the patch give one scale, which counts once.
        scales = dict.fromkeys(self._scale(s) for s in factors)
        self.grid = PatchGrid(scales=tuple(scales), **grid)

    def _scale(self, factor):
        return max(1.0, factor * self.base)

    def _at(self, size_hw, scale):
        grid = self.grid
        return grid_boxes(*size_hw, (scale,), grid.overlap, grid.size, grid.stride, grid.snap)

    def factor(self, key):
        """float: Training's s, a pure function of the key (seed, epoch, image ids)."""
        return float(keyed_generator('scale', *key).uniform(*self.jitter))

    def counts(self, size_hw):
        """list[int]: How many of the test's windows belong to each scale, in their order."""
        return [len(self._at(size_hw, scale)) for scale in self.grid.scales]

    def __call__(self, size_hw, boxes=None, labels=None, flags=None, *, training, key=None):
        """The windows of one picture; `boxes`, `labels` and `flags` are not read.

        Args:
            size_hw (tuple[int, int]): The picture, pixels.
            training (bool): One scale, or the test's.
            key (tuple): (seed, epoch, image ids of the batch); training only.

        Returns:
            Patches: every label is -1.
        """
        if training:
            xyxy = self._at(size_hw, self._scale(self.factor(RandomKey(*key))))
        else:
            xyxy = self.grid(size_hw)
        nothing = np.full(len(xyxy), -1, np.int64)
        return Patches(xyxy, nothing, nothing)
