"""The one patch of a person whose box is known (paper, sec. 6: actions)."""

import numpy as np

from tcnn_mm.errors import UserError
from tcnn_mm.patches.geometry import SQUARE_SIDES, square_around
from tcnn_mm.patches.sampler import Patches
from tcnn_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ObjectSquareSampler:
    """One square centred on `input_box`, in training and at test; no grid, no background.

    Parts outside the picture are mirrored when the patch is cut (paper, sec. 6).

    Args:
        side (str): 'max' (the longer side of the box), 'min' or 'area' (a square of the box's
            area); the paper does not say. Defaults to 'max'.
        margin (float): The side grows by this share, for context. Defaults to 0.

    See :func:`geometry.square_around`.
    """

    def __init__(self, side='max', margin=0.0):
        if side not in SQUARE_SIDES:
            raise ValueError(f'ObjectSquareSampler: side={side!r}; choose from {SQUARE_SIDES}')
        if margin <= -1:
            raise ValueError(f'ObjectSquareSampler: margin={margin}; it must be above -1')
        self.side, self.margin = side, margin

    def __call__(self, size_hw, boxes, labels, flags, *, training, key):
        """Choose the patch.

        Args:
            size_hw, boxes, key: Not read; as for `PatchSampler`.
            labels (ndarray): (N,) int, what the person does; not read at test.
            flags (dict): `input_box` (4,) xyxy.
            training (bool): With the label, or without.

        Returns:
            Patches: One. Its label is the person's, and -1 (not for the loss) at test, or where
            there is no label or several.

        Raises:
            UserError: No `input_box`.
        """
        if 'input_box' not in flags:
            raise UserError(
                'ObjectSquareSampler: the sample has no input_box; take '
                "dict(type='tcnn_mm.VOCAction', view='person'), or a transform that gives one"
            )
        square = square_around(flags['input_box'], self.side, self.margin)
        known = training and len(labels) == 1
        label = np.array([labels[0] if known else -1], np.int64)
        owner = np.array([0 if known else -1], np.int64)
        return Patches(square[None].astype(np.float32), label, owner)
