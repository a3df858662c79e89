"""Crop patches from one image, on the device of the image: antialiased, mirrored, in chunks.

The filter is Pillow's BILINEAR with a float box (a triangle that widens when it shrinks). Two
methods give the same pixels:

* slices: windows of a grid are cut out of their resized image, one per scale;
* matrices: any box, and windows of a resized image that would cost more time or memory than they
  do, are two small products, rows · image · columnsᵀ.

Letters: C channels, (H, W) pixels of the image, P patches, S patch side in network pixels.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.patches.windows import GridWindows

# Pixels of a resized image that is made as a whole: 0.4 GB in float32. λ = 20 makes an image of 4:3
# and 224-pixel patches 27 million.
MAX_RESIZED_PIXELS = 2**25
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


def resample(image: torch.Tensor, box: ArrayLike, shape: Sequence[int]) -> torch.Tensor:
    """Resize a part of an image as :func:`resize` does, without the rest: (C, H, W) → (C, h, w).

    Args:
        box: (4,) xyxy, of any position; parts outside the image are mirrored.
        shape: (h, w).
    """
    height, width = image.shape[-2:]
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    y_weights, top = resample_weights(y1, y2, shape[0], height)
    x_weights, left = resample_weights(x1, x2, shape[1], width)
    rows = torch.from_numpy(y_weights).to(image.device)
    columns = torch.from_numpy(x_weights).to(image.device)
    window = image[:, top : top + rows.shape[1], left : left + columns.shape[1]]
    with torch.autocast(image.device.type, enabled=False):
        return rows @ (window @ columns.T)


def _groups(windows: GridWindows, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Assign windows to resized images: shapes (G, 2) and group (P,), -1 where matrices are used.

    On a GPU a resized image pays: few large kernels; on a CPU only where resizing costs less.
    Decided for the whole call, so that chunks cannot change a pixel.
    """
    shapes, group = windows.by_shape()
    pixels = shapes.prod(1)
    pays = pixels <= MAX_RESIZED_PIXELS
    if device.type == 'cpu':
        pays &= pixels <= _RESIZE_PAYS * windows.size**2 * np.bincount(group, minlength=len(shapes))
    return shapes, np.where(pays[group], group, -1)


def _xyxy(boxes: ArrayLike | GridWindows) -> np.ndarray:
    """Boxes (P, 4) float64, of windows those in the stored image."""
    xyxy = boxes.xyxy if isinstance(boxes, GridWindows) else boxes
    return np.asarray(xyxy, np.float64).reshape(-1, 4)


def iter_patches(
    image: torch.Tensor,
    boxes: ArrayLike | GridWindows,
    size: int,
    chunk_size: int = 64,
    dtype: torch.dtype = torch.float32,
    first: int | None = None,
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Crop boxes from an image, chunk by chunk.

    Args:
        image: (C, H, W), uint8 or float, on any device. Cropping is linear: a normalised image
            gives normalised patches.
        boxes: (P, 4) xyxy pixels; parts outside the image are mirrored. Or windows of a grid;
            those of another S are cut as boxes.
        size: S.
        chunk_size: Patches in memory at once. Defaults to 64.
        dtype: Type of the patches; filters run in float32. Defaults to float32.
        first: Size of the first chunk, where another image fills part of it. Defaults to
            `chunk_size`.

    Yields:
        Indices of the boxes (p,), patches (p, C, S, S) in channels-last memory, p ≤ chunk_size.

    Raises:
        InvalidValueError: A box without area.
    """
    windows = boxes if isinstance(boxes, GridWindows) and boxes.size == size else None
    boxes = _xyxy(boxes)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        bad = boxes[~(boxes[:, 2:] > boxes[:, :2]).all(1)][0]
        raise InvalidValueError(f'a patch needs x2 > x1 and y2 > y1, got {bad.tolist()}')
    if not len(boxes):
        return
    image = image.float()
    group = np.full(len(boxes), -1)
    if windows is not None:
        shapes, group = _groups(windows, image.device)
    order = np.argsort(group, kind='stable')
    starts = [0, *range(first or chunk_size, len(order), chunk_size), len(order)]
    cached, resized = None, image
    for start, stop in zip(starts[:-1], starts[1:], strict=True):
        index, parts = order[start:stop], []
        for g in np.unique(group[index]):
            mine = index[group[index] == g]
            if windows is None or g < 0:
                cropped = torch.stack([resample(image, boxes[k], (size, size)) for k in mine])
                parts.append(cropped.to(dtype, memory_format=torch.channels_last))
                continue
            if cached != g:
                cached, resized = g, resize(image, shapes[g]).to(dtype)
            parts.append(cut(resized, windows.offsets[mine], size))
        yield index, parts[0] if len(parts) == 1 else torch.cat(parts)


def crop_patches(
    image: torch.Tensor,
    boxes: ArrayLike | GridWindows,
    size: int,
    chunk_size: int = 64,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Crop all boxes, in their order: (P, C, S, S); arguments as for :func:`iter_patches`."""
    out = torch.empty(
        (len(_xyxy(boxes)), image.shape[0], size, size), dtype=dtype, device=image.device
    )
    for index, patches in iter_patches(image, boxes, size, chunk_size, dtype):
        out[torch.from_numpy(index).to(image.device)] = patches
    return out
