"""The patches of an image that are used (paper, sec. 4: all positives, 10 % of the background)."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.patches.windows import Boxes, GridWindows
from tcnn_mm.registry import TASK_UTILS, build_patch_part


class Patches(NamedTuple):
    """Patches of one image.

    Attributes:
        xyxy (ndarray): (P, 4) float32 pixels.
        label (ndarray): (P,) int64; -1: not for the loss.
        object_index (ndarray): (P,) int64, the object that gives the label; -1: none.
        windows (GridWindows, optional): The same P patches as windows of a grid; None for patches
            of any other position, which dense mode cannot read.
    """

    xyxy: np.ndarray
    label: np.ndarray
    object_index: np.ndarray
    windows: GridWindows | None = None

    @property
    def boxes(self) -> Boxes:
        """What an encoder takes: the windows where there are any, else the boxes (P, 4)."""
        return self.xyxy if self.windows is None else self.windows


class RandomKey(NamedTuple):
    """The key that all randomness is a function of: never of worker, process or resume.

    Attributes:
        seed (int): Seed of the run.
        epoch (int): 0-based.
        image_id (str): Unique in the data set.
    """

    seed: int = 0
    epoch: int = 0
    image_id: str = ''


def keyed_generator(*key: object) -> np.random.Generator:
    """Return a numpy generator that is a pure function of the parts of the key (their `str`)."""
    # File names that are not UTF-8 have lone surrogates.
    text = '\0'.join(map(str, key)).encode('utf-8', 'surrogatepass')
    digest = hashlib.sha256(text).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], 'little')))


@TASK_UTILS.register_module()
class PatchSampler:
    """Draws labelled patches in training; takes the whole grid at test, without annotations.

    An image has one *fixed set*: every positive patch and a random share of its background, drawn
    once (the same in every epoch). With `num_patches`, each epoch takes the next `num_patches` of
    the set, whose order is shuffled again after each pass: drawn without replacement, so that
    batches can mix many images.

    Args:
        grid (dict | callable, optional): (height, width) → `GridWindows`. Defaults to
            `PatchGrid()`.
        labeler (dict | callable, optional): Defaults to `PatchLabeler()`.
        background_share (float): Share of the background patches that is kept. Paper: 0.1.
        redraw_background (bool): Draw the background again in each epoch. Defaults to False.
        num_patches (int, optional): Patches per image and epoch; None takes the fixed set.
        class_balanced (bool): With `num_patches`: draw each label of the image equally often as
            far as it has patches, instead of in proportion. Defaults to False.
    """

    def __init__(
        self,
        grid: dict[str, Any] | Callable[..., GridWindows] | None = None,
        labeler: dict[str, Any] | Callable[..., Any] | None = None,
        background_share: float = 0.1,
        redraw_background: bool = False,
        num_patches: int | None = None,
        class_balanced: bool = False,
    ) -> None:
        self.grid = build_patch_part(grid or dict(type='PatchGrid'))
        self.labeler = build_patch_part(labeler or dict(type='PatchLabeler'))
        if not 0 <= background_share <= 1:
            raise InvalidValueError(
                f'PatchSampler: background_share={background_share} not in [0, 1]'
            )
        if class_balanced and num_patches is None:
            raise InvalidValueError('PatchSampler: class_balanced=True needs num_patches')
        self.background_share = background_share
        self.redraw_background = redraw_background
        self.num_patches, self.class_balanced = num_patches, class_balanced

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
        """Choose patches.

        Args:
            size_hw (tuple[int, int]): Height and width of the image, pixels.
            boxes (ndarray): (N, 4) xyxy; not read at test.
            labels (ndarray): (N,) int; not read at test.
            flags (dict): `difficult` (N,) bool, optional; not read at test.
            training (bool): Draw labelled patches, or take the whole grid.
            key (tuple): (seed, epoch, image id).

        Returns:
            Patches: at test every label is -1.
        """
        grid = self.grid(size_hw)
        if not training:
            nothing = np.full(len(grid), -1, np.int64)
            return Patches(grid.xyxy, nothing, nothing, grid)
        random_key = RandomKey(*key)
        label, owner = self.labeler(grid.xyxy, boxes, labels, flags.get('difficult'))
        index = self._fixed_set(label, random_key)
        if self.num_patches is not None:
            index = self._draw(index, label, random_key, self.num_patches)
        drawn = grid[index]
        return Patches(drawn.xyxy, label[index], owner[index], drawn)

    def label_grid(
        self,
        size_hw: tuple[int, int],
        boxes: np.ndarray,
        labels: np.ndarray,
        flags: dict[str, Any],
        key: RandomKey | tuple[int, int, str],
    ) -> Patches:
        """Return the whole grid, with the labels of the fixed set and -1 for all other patches.

        One bank of it serves training and test. Arguments: see :meth:`__call__`.
        """
        grid = self.grid(size_hw)
        label, owner = self.labeler(grid.xyxy, boxes, labels, flags.get('difficult'))
        left_out = np.ones(len(label), bool)
        left_out[self._fixed_set(label, RandomKey(*key))] = False
        label[left_out] = owner[left_out] = -1
        return Patches(grid.xyxy, label, owner, grid)

    def _fixed_set(self, label: np.ndarray, key: RandomKey) -> np.ndarray:
        """Labels (P,) → indices of the patches that any epoch may draw."""
        epoch = key.epoch if self.redraw_background else 'once'
        random = keyed_generator('background', key.seed, epoch, key.image_id)
        # One number for each patch of the grid, also of those with an object: the draw for one
        # patch does not depend on the labels of the others.
        kept = random.random(len(label)) < self.background_share
        background = label == self.labeler.background
        return np.flatnonzero((label >= 0) & (~background | kept))

    def _draw(
        self, index: np.ndarray, label: np.ndarray, key: RandomKey, num_patches: int
    ) -> np.ndarray:
        """Take the patches of one epoch from the fixed set `index`."""
        size = len(index)
        count = min(num_patches, size)
        if count == 0:
            return index
        if self.class_balanced:
            random = keyed_generator('balanced', *key)
            names, group, sizes = np.unique(label[index], return_inverse=True, return_counts=True)
            share = 1.0 / (len(names) * sizes[group])
            return index[np.sort(random.choice(size, count, replace=False, p=share))]
        place = key.epoch * count + np.arange(count)
        drawn = [
            keyed_generator('order', key.seed, key.image_id, turn).permutation(size)[
                place[place // size == turn] % size
            ]
            for turn in np.unique(place // size)
        ]
        return index[np.concatenate(drawn)]
