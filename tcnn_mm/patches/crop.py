"""Pixels of patches, cut on the device from one picture: antialiased, mirrored, in chunks.

The filter is Pillow's BILINEAR with a float box (a triangle that widens when it shrinks). Two
routes give the same pixels:

* slices: boxes that are whole pixels of one resized picture (every box of `grid_boxes`) are cut
  out of it; the picture is resized once a scale;
* matrices: any other box, and scales with so few boxes that resizing the whole picture would
  cost more, is two small products, rows · picture · columnsᵀ.
"""

import numpy as np
import torch
import torch.nn.functional as F

# A grid box found this close (in resized pixels) to whole pixels is a slice; float32 boxes of a
# 6000-pixel photo are good to 0.001.
_SNAP_TOLERANCE = 0.05
# Resizing a whole picture pays when it is at most this many patch areas for each patch cut.
_RESIZE_PAYS = 8


def mirror(position, length):
    """Fold positions outside [0, length] back in, as often as needed; the edge pixel repeats."""
    folded = np.mod(position, 2 * length)
    return np.where(folded > length, 2 * length - folded, folded)


def resample_weights(start, stop, size, length):
    """Triangle-filter weights of `size` samples over [start, stop) of a line of pixels.

    Args:
        start, stop (float): In pixels; may lie outside [0, length], then mirrored.
        size (int): Samples.
        length (int): Pixels of the line.

    Returns:
        tuple[ndarray, int]: (size, n) float32 rows that sum to one, and the first of the n
        pixels that they weigh.
    """
    step = (stop - start) / size
    centre = mirror(start + (np.arange(size) + 0.5) * step, length)
    support = max(step, 1.0)
    low = int(max(0, np.floor(centre.min() - support)))
    high = int(min(length, np.ceil(centre.max() + support)))
    distance = np.abs(np.arange(low, high)[None] + 0.5 - centre[:, None])
    weights = np.clip(1.0 - distance / support, 0.0, None)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32), low


def slice_plan(boxes, size, height, width):
    """Which boxes are slices of a resized picture, and of which.

    Args:
        boxes (ndarray): (P, 4) xyxy.

    Returns:
        tuple[ndarray, ndarray, ndarray]: resized (rows, columns) (P, 2), offset (y, x) (P, 2),
        both int64, and whether the box is such a slice (P,) bool.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    sides = np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], 1)
    picture = np.array([height, width], np.float64)
    exact = picture * size / sides
    resized = np.rint(exact)
    start = boxes[:, [1, 0]] * resized / picture
    offset = np.rint(start)
    whole = (np.abs(exact - resized) < _SNAP_TOLERANCE) & (np.abs(start - offset) < _SNAP_TOLERANCE)
    inside = (offset >= 0) & (offset + size <= resized)
    return resized.astype(np.int64), offset.astype(np.int64), (whole & inside).all(1)


def resize(image, shape):
    """(C, H, W) float → (C, h, w), antialiased like Pillow's BILINEAR; channels-last memory."""
    resized = F.interpolate(
        image[None], size=tuple(shape), mode='bilinear', align_corners=False, antialias=True
    )
    return resized.contiguous(memory_format=torch.channels_last)[0]


def cut(picture, offset, size):
    """Windows of one picture by one gather, whatever their number.

    Args:
        picture (Tensor): (C, h, w); channels-last memory is read fastest.
        offset (ndarray): (p, 2) int64 (y, x) of their first pixels.
        size (int): Side of the windows.

    Returns:
        Tensor: (p, C, size, size) in channels-last memory.
    """
    y, x = torch.from_numpy(offset).to(picture.device).unbind(1)
    view = picture.permute(1, 2, 0).unfold(0, size, 1).unfold(1, size, 1)
    return view.permute(0, 1, 3, 4, 2)[y, x].permute(0, 3, 1, 2)


def _by_matrices(image, box, size):
    height, width = image.shape[-2:]
    rows, top = resample_weights(box[1], box[3], size, height)
    columns, left = resample_weights(box[0], box[2], size, width)
    rows = torch.from_numpy(rows).to(image.device)
    columns = torch.from_numpy(columns).to(image.device)
    window = image[:, top : top + rows.shape[1], left : left + columns.shape[1]]
    with torch.autocast(image.device.type, enabled=False):
        return rows @ (window @ columns.T)


def _groups(boxes, size, height, width, device):
    """Which resized picture each box is cut from: shapes (G, 2), group (P,), offset (P, 2).

    Group -1 is cut by matrices. On a GPU every slice is taken from its picture: few large
    kernels; on a CPU only where resizing costs less. Decided for the whole call, so chunks cannot
    change a pixel.
    """
    resized, offset, sliced = slice_plan(boxes, size, height, width)
    shapes, group = np.unique(resized, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group[sliced], minlength=len(shapes))
    pays = shapes.prod(1) <= _RESIZE_PAYS * size * size * count
    if device.type != 'cpu':
        pays[:] = True
    return shapes, np.where(sliced & pays[group], group, -1), offset


def iter_patches(image, boxes, size, chunk_size=64, dtype=torch.float32, first=None):
    """Cut boxes out of a picture, chunk by chunk.

    Args:
        image (Tensor): (C, H, W), uint8 or float, on any device. Cropping is linear: a
            normalised picture gives normalised patches.
        boxes (ndarray): (P, 4) xyxy pixels; parts outside the picture are mirrored.
        size (int): S.
        chunk_size (int): Patches in memory at once. Defaults to 64.
        dtype (torch.dtype): Of the patches; filters run in float32. Defaults to float32.
        first (int, optional): Size of the first chunk: what another picture left of room.
            Defaults to `chunk_size`.

    Yields:
        tuple[ndarray, Tensor]: indices of the boxes (p,), patches (p, C, S, S) in
        channels_last memory, p ≤ chunk_size.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        bad = boxes[~(boxes[:, 2:] > boxes[:, :2]).all(1)][0]
        raise ValueError(f'a patch needs x2 > x1 and y2 > y1, got {bad.tolist()}')
    if not len(boxes):
        return
    image = image.float()
    shapes, group, offset = _groups(boxes, size, *image.shape[-2:], image.device)
    order = np.argsort(group, kind='stable')
    starts = [0, *range(first or chunk_size, len(order), chunk_size), len(order)]
    cached, picture = None, None
    for start, stop in zip(starts[:-1], starts[1:], strict=True):
        index, parts = order[start:stop], []
        for g in np.unique(group[index]):
            mine = index[group[index] == g]
            if g < 0:
                cropped = torch.stack([_by_matrices(image, boxes[k], size) for k in mine])
                parts.append(cropped.to(dtype, memory_format=torch.channels_last))
                continue
            if cached != g:
                cached, picture = g, resize(image, shapes[g]).to(dtype)
            parts.append(cut(picture, offset[mine], size))
        yield index, parts[0] if len(parts) == 1 else torch.cat(parts)


def crop_patches(image, boxes, size, chunk_size=64, dtype=torch.float32):
    """Cut all boxes at once, in their order: (P, C, S, S); see :func:`iter_patches`."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    out = torch.empty((len(boxes), image.shape[0], size, size), dtype=dtype, device=image.device)
    for index, patches in iter_patches(image, boxes, size, chunk_size, dtype):
        out[torch.from_numpy(index).to(image.device)] = patches
    return out
