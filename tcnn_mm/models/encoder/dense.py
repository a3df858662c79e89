"""Dense mode: the convolutions run once per scale, and patch features are windows of the map.

A grid snapped to the network's stride makes every patch a window of whole cells. Without padding
this equals cropping; padded networks see the surroundings of a patch instead of zeros.

A resized image of more than `MAX_RESIZED_PIXELS` (a panorama at a large λ) runs in strips across
its longer side. Each strip reaches one patch side beyond its windows, so that their cells are
those of the whole map, unless the network sees further than that beyond a window.

With maps of fewer scales (`shared_maps`) a window covers fewer cells, those at its border by a
share.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.shared_maps import SharedWindows
from tcnn_mm.patches.crop import MAX_RESIZED_PIXELS, cut, resample, resize
from tcnn_mm.patches.windows import Boxes, GridWindows, group_shapes


@dataclass(frozen=True, eq=False)
class MapPart:
    """A part of a resized image, whose map has the features of some windows.

    Attributes:
        shape (tuple[int, int]): Rows and columns of the resized image.
        start (tuple[int, int]): First pixel (y, x) of the part.
        part (tuple[int, int]): Rows and columns of the part; `shape` where it is the whole.
        index (ndarray): (p,) int64, the windows.
        cells (ndarray): (p, 2) (y, x), first cell of each window in the map of the part: int64, or
            float64 where windows begin within a cell.
        sides (ndarray, optional): (p, 2) float64, rows and columns of each window in pixels of the
            resized image. Defaults to None: all are S × S.
    """

    shape: tuple[int, int]
    start: tuple[int, int]
    part: tuple[int, int]
    index: np.ndarray
    cells: np.ndarray
    sides: np.ndarray | None = None

    def cut_out(self, image: torch.Tensor) -> torch.Tensor:
        """Resize this part of an image: (3, H, W) float → (3, h, w)."""
        if self.part == self.shape:
            return resize(image, self.shape)
        (y, x), (rows, columns) = self.start, self.part
        tall, wide = image.shape[-2] / self.shape[0], image.shape[-1] / self.shape[1]
        box = x * wide, y * tall, (x + columns) * wide, (y + rows) * tall
        return resample(image, box, self.part)


def snapped_windows(boxes: Boxes, stride: int) -> GridWindows:
    """Return patches as windows of maps of a stride.

    Raises:
        InvalidValueError: They are no windows of a grid, or those of a grid of another stride.
    """
    found = 'patches that are no windows of a grid'
    if isinstance(boxes, GridWindows):
        if not (boxes.offsets % stride).any() and not ((boxes.shapes - boxes.size) % stride).any():
            return boxes
        found = 'windows between the cells'
    raise InvalidValueError(
        f"feature_mode='dense' reads windows of a map with a cell every {stride} pixels; the "
        f"sampler gives {found}: use PatchGrid with snap={stride}, or feature_mode='crop'"
    )


def _strips(
    shape: np.ndarray, offsets: np.ndarray, size: int, stride: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Divide a resized image: (2,), (p, 2) → starts (2,), shapes (2,) and windows (q,) of parts."""
    if shape.prod() <= MAX_RESIZED_PIXELS:
        yield np.zeros(2, np.int64), shape, np.arange(len(offsets))
        return
    axis = int(shape.argmax())
    margin = -(-size // stride) * stride
    step = MAX_RESIZED_PIXELS // int(shape.min()) - size - 2 * margin
    step = max(1, step // stride) * stride
    strip = (offsets[:, axis] // step).astype(np.int64)
    for number in np.unique(strip):
        start, stop = np.zeros(2, np.int64), shape.copy()
        start[axis] = max(0, number * step - margin)
        stop[axis] = min(shape[axis], (number + 1) * step - stride + size + margin)
        yield start, stop - start, np.flatnonzero(strip == number)


def dense_plan(windows: GridWindows | SharedWindows, stride: int) -> list[MapPart]:
    """Find the map and the cells of each window of one image.

    Args:
        windows: Snapped to `stride`, see :func:`snapped_windows`, or placed on shared maps.
        stride: Of the maps, pixels.
    """
    plan = []
    sides = windows.sides if isinstance(windows, SharedWindows) else None
    shapes, group = group_shapes(windows.shapes)
    for g, shape in enumerate(shapes):
        index = np.flatnonzero(group == g)
        offsets = windows.offsets[index]
        for start, part, mine in _strips(shape, offsets, windows.size, stride):
            inside = offsets[mine] - start
            plan.append(
                MapPart(
                    shape=(int(shape[0]), int(shape[1])),
                    start=(int(start[0]), int(start[1])),
                    part=(int(part[0]), int(part[1])),
                    index=index[mine],
                    cells=inside // stride if sides is None else inside / stride,
                    sides=None if sides is None else sides[index[mine]],
                )
            )
    return plan


def map_windows(maps: torch.Tensor, cells: np.ndarray, side: int) -> torch.Tensor:
    """Cut (p, C, side, side) out of one map (C, h, w) at (p, 2) cells."""
    return cut(maps, cells, side)


def pooled(maps: torch.Tensor, cells: np.ndarray, side: int) -> torch.Tensor:
    """Mean of (p,) windows of one map (C, h, w): (p, C) float32.

    Rows first, then columns, and only those that windows begin at: a grid has far fewer than the
    map has cells.
    """
    rows = maps.permute(1, 2, 0).float()
    tops, y = np.unique(cells[:, 0], return_inverse=True)
    lefts, x = np.unique(cells[:, 1], return_inverse=True)
    rows = torch.stack([rows[top : top + side].mean(0) for top in tops.tolist()])
    means = torch.stack([rows[:, left : left + side].mean(1) for left in lefts.tolist()])
    y, x = (torch.from_numpy(index).to(maps.device) for index in (y, x))
    return means[x, y]


def dense_windows(
    images: Sequence[torch.Tensor],
    windows: Sequence[GridWindows | SharedWindows],
    prepare: Callable[[torch.Tensor], torch.Tensor],
    convolve: Callable[[torch.Tensor], torch.Tensor],
    read: Callable[[torch.Tensor, MapPart], torch.Tensor],
    stride: int,
    max_pixels: int,
) -> Iterator[tuple[int, np.ndarray, torch.Tensor]]:
    """Yield the windows of all images; images of one resized shape share a pass.

    Args:
        images (list[Tensor]): B × (3, H, W) uint8.
        windows (list): B × P, as for :func:`dense_plan`.
        prepare (callable): An image → normalised float32; called once per part, so that only one
            large photo at a time is held as float32.
        convolve (callable): (b, 3, H', W') → (b, C, h, w).
        read (callable): (map (C, h, w), part of p windows) → (p, …).
        stride (int): Of the map, pixels.
        max_pixels (int): Of the images in one pass; bounds the memory.

    Yields:
        tuple[int, ndarray, Tensor]: image index, indices of its windows, result of `read`.
    """
    buckets: dict[tuple[int, int], list[tuple[int, MapPart]]] = {}
    for b, mine in enumerate(windows):
        for part in dense_plan(mine, stride):
            buckets.setdefault(part.part, []).append((b, part))
    for (rows, columns), jobs in buckets.items():
        together = max(1, max_pixels // (rows * columns))
        for first in range(0, len(jobs), together):
            chosen = jobs[first : first + together]
            batch = torch.stack([part.cut_out(prepare(images[b])) for b, part in chosen])
            maps = convolve(batch.contiguous(memory_format=torch.channels_last))
            for one, (b, part) in zip(maps, chosen, strict=True):
                yield b, part.index, read(one, part)
