"""Windows of a grid: whole pixels of resized images, beside their boxes in the stored image."""

from dataclasses import dataclass

import numpy as np


def group_shapes(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find equal rows and columns: (P, 2) int64 → different ones (G, 2), which each has (P,)."""
    # One integer per shape: sorting rows of two is ten times slower.
    keys, group = np.unique(shapes @ (1 << 32, 1), return_inverse=True)
    return np.stack(np.divmod(keys, 1 << 32), axis=1), group


@dataclass(frozen=True, eq=False)
class GridWindows:
    """S × S windows of one image resized to some shapes.

    Windows are integers, so that no size of an image and no λ makes them ambiguous; the boxes are
    computed from them and rounded.

    Attributes:
        xyxy (ndarray): (P, 4) float32, boxes in pixels of the stored image.
        shapes (ndarray): (P, 2) int64, rows and columns of the resized image of each window.
        offsets (ndarray): (P, 2) int64 (y, x), first pixel of each window in its resized image.
        size (int): S.
    """

    xyxy: np.ndarray
    shapes: np.ndarray
    offsets: np.ndarray
    size: int

    @classmethod
    def of(
        cls, shapes: np.ndarray, offsets: np.ndarray, size: int, size_hw: tuple[int, int]
    ) -> 'GridWindows':
        """Compute the boxes of windows of an image of `size_hw` (height, width) pixels."""
        image = np.array(size_hw, np.int64)
        start = offsets * (image / shapes)
        stop = start + size * image / shapes
        xyxy = np.concatenate([start[:, ::-1], stop[:, ::-1]], axis=1).astype(np.float32)
        return cls(xyxy, shapes, offsets, size)

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: np.ndarray | slice) -> 'GridWindows':
        """Choose windows by indices (p,), a mask (P,) or a slice."""
        return GridWindows(self.xyxy[index], self.shapes[index], self.offsets[index], self.size)

    def by_shape(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the resized images (G, 2), rows and columns, and which a window is of (P,)."""
        return group_shapes(self.shapes)

    def mirrored(self, width: int) -> 'GridWindows':
        """Return the same windows of the image of `width` pixels mirrored left to right."""
        x1, y1, x2, y2 = self.xyxy.T
        xyxy = np.stack([width - x2, y1, width - x1, y2], axis=1)
        last = self.shapes[:, 1] - self.size
        offsets = np.stack([self.offsets[:, 0], last - self.offsets[:, 1]], axis=1)
        return GridWindows(xyxy, self.shapes, offsets, self.size)


# What is cropped or described: xyxy (P, 4) of any position, or windows of a grid.
Boxes = np.ndarray | GridWindows
