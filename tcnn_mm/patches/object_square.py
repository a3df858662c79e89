"""One square patch around a person whose box is known (paper, sec. 6: actions)."""

from typing import Any

import numpy as np

from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.patches.geometry import SQUARE_SIDES, square_around
from tcnn_mm.patches.sampler import Patches, RandomKey
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ObjectSquareSampler:
    """Takes one square centred on `input_box`, in training and at test: no grid, no background.

    Parts outside the image are mirrored when the patch is cut (paper, sec. 6).

    Args:
        side (str): 'max' (the longer side of the box), 'min' or 'area' (a square of the box's
            area); the paper does not say. Defaults to 'max'.
        margin (float): The side is longer by this share, for context. Defaults to 0.

    See :func:`geometry.square_around`.
    """

    def __init__(self, side: str = 'max', margin: float = 0.0) -> None:
        if side not in SQUARE_SIDES:
            raise InvalidValueError(
                f'ObjectSquareSampler: side={side!r}; choose from {SQUARE_SIDES}'
            )
        if margin <= -1:
            raise InvalidValueError(f'ObjectSquareSampler: margin={margin}; it must be above -1')
        self.side, self.margin = side, margin

    def __call__(
        self,
        size_hw: tuple[int, int],
        boxes: np.ndarray | None,
        labels: np.ndarray | None,
        flags: dict[str, Any],
        *,
        training: bool,
        key: RandomKey | tuple[int, int, str],
    ) -> Patches:
        """Choose the patch.

        Args:
            size_hw, boxes, key: Not read; as for `PatchSampler`.
            labels (ndarray): (N,) int, the actions of the person; not read at test.
            flags (dict): `input_box` (4,) xyxy.
            training (bool): With the label, or without.

        Returns:
            Patches: One. Its label is the action of the person, and -1 (not for the loss) at test
            or where there is no action or several.

        Raises:
            UserError: No `input_box`.
        """
        if 'input_box' not in flags:
            raise UserError(
                'ObjectSquareSampler: the sample has no input_box; take '
                "dict(type='tcnn_mm.VOCAction', view='person'), or another transform that sets it"
            )
        square = square_around(flags['input_box'], self.side, self.margin)
        label, owner = np.full(1, -1, np.int64), np.full(1, -1, np.int64)
        if training and labels is not None and len(labels) == 1:
            label[0], owner[0] = labels[0], 0
        return Patches(square[None].astype(np.float32), label, owner)
