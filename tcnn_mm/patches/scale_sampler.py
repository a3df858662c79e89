"""All windows of an image at given scales; annotations are not read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.sampler import Patches, RandomKey, keyed_generator
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ScaleSampler:
    """Takes all windows: at one random scale in training, at several at test; without annotations.

    For image labels alone (Oquab et al., "Is object localization for free?", CVPR 2015). An
    image at factor s has a shorter side of s · `base` patches, so its windows are those of
    λ = s · `base`; an image smaller than a patch is enlarged to it (λ = 1).

    Args:
        grid (dict, optional): Arguments of `PatchGrid`, without `scales`. Its step (`stride`,
            `overlap`) is that of the windows.
        base (float): Shorter side in patches at s = 1. Defaults to 375 / 224: VOC's images as
            they are stored, 224-px patches.
        jitter (tuple[float, float]): Training: one s ~ U(low, high) per key. Defaults to (0.7,
            1.4), as in the authors' code.
        factors (sequence[float]): Test: all s. Defaults to (0.5, 0.7, 1, 1.4, 2, 2.8), as in
            the authors' code.
    """

    def __init__(
        self,
        grid: dict[str, Any] | None = None,
        base: float = 375 / 224,
        jitter: tuple[float, float] = (0.7, 1.4),
        factors: Sequence[float] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8),
    ) -> None:
        options = dict(grid or {})
        if 'scales' in options:
            raise InvalidValueError(
                'ScaleSampler: grid has scales; give factors (λ = factor · base)'
            )
        if not (base > 0 and 0 < jitter[0] <= jitter[1] and factors and min(factors) > 0):
            raise InvalidValueError(
                f'ScaleSampler: base={base}, jitter={jitter}, factors={factors}; each must be > 0, '
                'and jitter (low, high)'
            )
        self.base, self.jitter, self.factors = float(base), tuple(jitter), tuple(factors)
        options.pop('type', None)
        # All factors that are too small for the patch give λ = 1, which counts once.
        scales = dict.fromkeys(self.scale(s) for s in factors)
        self.grid = PatchGrid(scales=tuple(scales), **options)

    def scale(self, factor: float) -> float:
        """Return λ of the windows of an image at factor s."""
        return max(1.0, factor * self.base)

    def factor(self, key: RandomKey) -> float:
        """Return s of a training step, a pure function of the key (seed, epoch, image ids)."""
        low, high = self.jitter
        return float(keyed_generator('scale', *key).uniform(low, high))

    def counts(self, size_hw: tuple[int, int]) -> list[int]:
        """Return the number of test windows at each scale, in their order."""
        return [len(self.grid.windows_at(size_hw, scale)) for scale in self.grid.scales]

    def __call__(
        self,
        size_hw: tuple[int, int],
        boxes: Any = None,
        labels: Any = None,
        flags: Any = None,
        *,
        training: bool,
        key: RandomKey | tuple[int, int, str] | None = None,
    ) -> Patches:
        """Return the windows of one image; `boxes`, `labels` and `flags` are not read.

        Args:
            size_hw (tuple[int, int]): Height and width of the image, pixels.
            training (bool): One random scale, or all of the test.
            key (tuple): (seed, epoch, image ids of the batch); training only.

        Returns:
            Patches: every label is -1.
        """
        if training:
            if key is None:
                raise InvalidValueError(
                    'ScaleSampler: training=True needs a key (seed, epoch, image ids)'
                )
            windows = self.grid.windows_at(size_hw, self.scale(self.factor(RandomKey(*key))))
        else:
            windows = self.grid(size_hw)
        nothing = np.full(len(windows), -1, np.int64)
        return Patches(windows.xyxy, nothing, nothing, windows)
