"""Crop patches from one image, on the device of the image: antialiased, mirrored, in chunks.

The filter is Pillow's BILINEAR with a float box (a triangle that widens when it shrinks). Two
methods give the same pixels:

* slices: boxes that are whole pixels of one resized image (every box of `grid_boxes`) are cut out
  of it; the image is resized once per scale;
* matrices: any other box, and scales with so few boxes that resizing the whole image would cost
  more, is two small products, rows · image · columnsᵀ.

Letters: C channels, (H, W) pixels of the image, P patches, S patch side in network pixels.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike

# A grid box found this close (in resized pixels) to whole pixels is a slice; float32 boxes of a
# 6000-pixel photo are good to 0.001.
_SNAP_TOLERANCE = 0.05
# Resizing a whole image is cheaper when it has at most this many patch areas per patch.
_RESIZE_PAYS = 8


def mirror(position: np.ndarray, length: int) -> np.ndarray:
    """Reflect positions outside [0, length] into it, repeatedly where needed; edges repeat."""
    folded = np.mod(position, 2 * length)
    return np.where(folded > length, 2 * length - folded, folded)


def resample_weights(start: float, stop: float, size: int, length: int) -> tuple[np.ndarray, int]:
    """Return triangle-filter weights of `size` samples over [start, stop) of a line of pixels.

    Args:
        start, stop: In pixels; may lie outside [0, length], then mirrored.
        size: Number of samples.
        length: Number of pixels of the line.

    Returns:
        (size, n) float32 rows that sum to one, and the first of the n pixels that they weight.
    """
    step = (stop - start) / size
    centre = mirror(start + (np.arange(size) + 0.5) * step, length)
    support = max(step, 1.0)
    low = int(max(0, np.floor(centre.min() - support)))
    high = int(min(length, np.ceil(centre.max() + support)))
    distance = np.abs(np.arange(low, high)[None] + 0.5 - centre[:, None])
    weights = np.clip(1.0 - distance / support, 0.0, None)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32), low


def slice_plan(
    boxes: ArrayLike, size: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the boxes that are slices of a resized image.

    Args:
        boxes: (P, 4) xyxy.
        size: S.
        height, width: Size of the image, pixels.

    Returns:
        Shapes (rows, columns) of the resized images (P, 2) int64, offsets (y, x) in them (P, 2)
        int64, and whether the box is such a slice (P,) bool.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    sides = np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], 1)
    image = np.array([height, width], np.float64)
    exact = image * size / sides
    resized = np.rint(exact)
    start = boxes[:, [1, 0]] * resized / image
    offset = np.rint(start)
    whole = (np.abs(exact - resized) < _SNAP_TOLERANCE) & (np.abs(start - offset) < _SNAP_TOLERANCE)
    inside = (offset >= 0) & (offset + size <= resized)
    return resized.astype(np.int64), offset.astype(np.int64), (whole & inside).all(1)


def resize(image: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Resize (C, H, W) float → (C, h, w), antialiased like Pillow's BILINEAR, channels last."""
    resized = F.interpolate(
        image[None],
        size=[int(side) for side in shape],
        mode='bilinear',
        align_corners=False,
        antialias=True,
    )
    return resized.contiguous(memory_format=torch.channels_last)[0]


def cut(image: torch.Tensor, offset: np.ndarray, size: int) -> torch.Tensor:
    """Cut square windows out of one image by one gather.

    Args:
        image: (C, h, w); channels-last memory is read fastest.
        offset: (P, 2) int64 (y, x) of their first pixels.
        size: Side of the windows, pixels.

    Returns:
        (P, C, size, size) in channels-last memory.
    """
    y, x = torch.from_numpy(offset).to(image.device).unbind(1)
    view = image.permute(1, 2, 0).unfold(0, size, 1).unfold(1, size, 1)
    return view.permute(0, 1, 3, 4, 2)[y, x].permute(0, 3, 1, 2)


def _by_matrices(image: torch.Tensor, box: np.ndarray, size: int) -> torch.Tensor:
    """Crop one box (4,) of any position: (C, H, W) → (C, S, S) float32."""
    height, width = image.shape[-2:]
    y_weights, top = resample_weights(box[1], box[3], size, height)
    x_weights, left = resample_weights(box[0], box[2], size, width)
    rows = torch.from_numpy(y_weights).to(image.device)
    columns = torch.from_numpy(x_weights).to(image.device)
    window = image[:, top : top + rows.shape[1], left : left + columns.shape[1]]
    with torch.autocast(image.device.type, enabled=False):
        return rows @ (window @ columns.T)


def _groups(
    boxes: np.ndarray, size: int, height: int, width: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Assign each box to a resized image: shapes (G, 2), group (P,), offset (P, 2).

    Group -1 is cropped by matrices. On a GPU every slice is cut from its resized image: few large
    kernels; on a CPU only where resizing costs less. Decided for the whole call, so that chunks
    cannot change a pixel.
    """
    resized, offset, sliced = slice_plan(boxes, size, height, width)
    shapes, group = np.unique(resized, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group[sliced], minlength=len(shapes))
    pays = shapes.prod(1) <= _RESIZE_PAYS * size * size * count
    if device.type != 'cpu':
        pays[:] = True
    return shapes, np.where(sliced & pays[group], group, -1), offset


def iter_patches(
    image: torch.Tensor,
    boxes: ArrayLike,
    size: int,
    chunk_size: int = 64,
    dtype: torch.dtype = torch.float32,
    first: int | None = None,
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Crop boxes from an image, chunk by chunk.

    Args:
        image: (C, H, W), uint8 or float, on any device. Cropping is linear: a normalised image
            gives normalised patches.
        boxes: (P, 4) xyxy pixels; parts outside the image are mirrored.
        size: S.
        chunk_size: Patches in memory at once. Defaults to 64.
        dtype: Type of the patches; filters run in float32. Defaults to float32.
        first: Size of the first chunk, where another image fills part of it. Defaults to
            `chunk_size`.

    Yields:
        Indices of the boxes (p,), patches (p, C, S, S) in channels-last memory, p ≤ chunk_size.

    Raises:
        ValueError: A box without area.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        bad = boxes[~(boxes[:, 2:] > boxes[:, :2]).all(1)][0]
        raise ValueError(f'a patch needs x2 > x1 and y2 > y1, got {bad.tolist()}')
    if not len(boxes):
        return
    image = image.float()
    height, width = image.shape[-2:]
    shapes, group, offset = _groups(boxes, size, height, width, image.device)
    order = np.argsort(group, kind='stable')
    starts = [0, *range(first or chunk_size, len(order), chunk_size), len(order)]
    cached, resized = None, image
    for start, stop in zip(starts[:-1], starts[1:], strict=True):
        index, parts = order[start:stop], []
        for g in np.unique(group[index]):
            mine = index[group[index] == g]
            if g < 0:
                cropped = torch.stack([_by_matrices(image, boxes[k], size) for k in mine])
                parts.append(cropped.to(dtype, memory_format=torch.channels_last))
                continue
            if cached != g:
                cached, resized = g, resize(image, shapes[g]).to(dtype)
            parts.append(cut(resized, offset[mine], size))
        yield index, parts[0] if len(parts) == 1 else torch.cat(parts)


def crop_patches(
    image: torch.Tensor,
    boxes: ArrayLike,
    size: int,
    chunk_size: int = 64,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Crop all boxes, in their order: (P, C, S, S); arguments as for :func:`iter_patches`."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    out = torch.empty((len(boxes), image.shape[0], size, size), dtype=dtype, device=image.device)
    for index, patches in iter_patches(image, boxes, size, chunk_size, dtype):
        out[torch.from_numpy(index).to(image.device)] = patches
    return out
