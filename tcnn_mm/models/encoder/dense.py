"""Dense mode: the convolutions run once per scale, and patch features are windows of the map.

A grid snapped to the network's stride makes every patch a window of whole cells. Without padding
this equals cropping; padded networks see the surroundings of a patch instead of zeros.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tcnn_mm.patches.crop import cut, resize, slice_plan

# Modules that mix the whole image into every cell: a window of their map is no patch.
GLOBAL_OPERATIONS = (
    'AdaptiveAvgPool2d', 'AdaptiveMaxPool2d', 'SqueezeExcitation', 'SELayer', 'EffectiveSELayer',
    'GRN', 'GroupNorm', 'InstanceNorm2d', 'MultiheadAttention', 'WindowMSA', 'ShiftWindowMSA',
    'LeAttention', 'Attention', 'ContextBlock', 'NonLocal2d',
)  # fmt: skip
_STRIDES = (1, 2, 4, 8, 16, 32, 64)


def refuse_global_operations(modules: Iterable[nn.Module], name: str) -> None:
    """Raise ValueError if one of the modules mixes the whole image; names it."""
    found = sorted(
        {
            type(part).__name__
            for module in modules
            for part in module.modules()
            if type(part).__name__ in GLOBAL_OPERATIONS
        }
    )
    if found:
        raise ValueError(
            f"feature_mode='dense' needs a network of local operations; {name} has "
            f"{', '.join(found)}: use feature_mode='crop'"
        )


@torch.no_grad()
def map_geometry(
    convolve: Callable[[torch.Tensor], torch.Tensor],
    size: int,
    device: torch.device | str = 'cpu',
) -> tuple[int, int]:
    """Stride of the map in input pixels and its side for one patch.

    Args:
        convolve (callable): (B, 3, H, W) → (B, C, h, w).
        size (int): S.

    Returns:
        tuple[int, int]: stride, and side g of the S × S patch's map: a patch that starts at
        pixel stride × i is the window of cells i … i + g - 1.

    Raises:
        ValueError: The map does not grow by one cell per stride for any stride.
    """

    def side(pixels: int) -> int:
        out = convolve(torch.zeros(1, 3, pixels, pixels, device=device))
        if out.dim() != 4:
            raise ValueError(
                f"feature_mode='dense' needs a map (B, C, h, w), the backbone gives "
                f'{tuple(out.shape)}; mmpretrain: gap_before_final_norm=False, out_type etc.'
            )
        return out.shape[-1]

    cells = side(size)
    for stride in _STRIDES:
        if side(size + stride) == cells + 1 and side(size + 3 * stride) == cells + 3:
            return stride, cells
    raise ValueError(f"feature_mode='dense': no regular stride found at patch size {size}")


def dense_plan(
    boxes: np.ndarray, size: int, stride: int, size_hw: tuple[int, int]
) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Find the map and the cells of each box.

    Args:
        boxes (ndarray): (P, 4) xyxy of a grid snapped to `stride`.

    Returns:
        dict: resized (rows, columns) → (indices (p,), cells (p, 2) int64 (y, x)).

    Raises:
        ValueError: A box is no such window.
    """
    resized, offset, sliced = slice_plan(boxes, size, *size_hw)
    good = sliced & (offset % stride == 0).all(1) & ((resized - size) % stride == 0).all(1)
    if not good.all():
        raise ValueError(
            f"feature_mode='dense': box {np.asarray(boxes)[~good][0].tolist()} is no window of "
            f'the map (stride {stride} px): use PatchGrid with snap={stride}, or crop mode'
        )
    plan = {}
    shapes, group = np.unique(resized, axis=0, return_inverse=True)
    for g, shape in enumerate(shapes):
        index = np.flatnonzero(group.ravel() == g)
        plan[tuple(shape.tolist())] = (index, offset[index] // stride)
    return plan


def windows(maps: torch.Tensor, cells: np.ndarray, side: int) -> torch.Tensor:
    """Cut (p, C, side, side) out of one map (C, h, w) at (p, 2) cells."""
    return cut(maps, cells, side)


def pooled(maps: torch.Tensor, cells: np.ndarray, side: int) -> torch.Tensor:
    """Mean of (p,) windows of one map (C, h, w): (p, C) float32."""
    y, x = torch.from_numpy(cells).to(maps.device).unbind(1)
    return F.avg_pool2d(maps[None].float(), side, stride=1)[0][:, y, x].T


def dense_windows(
    images: Sequence[torch.Tensor],
    boxes: Sequence[np.ndarray],
    prepare: Callable[[torch.Tensor], torch.Tensor],
    convolve: Callable[[torch.Tensor], torch.Tensor],
    read: Callable[[torch.Tensor, np.ndarray], torch.Tensor],
    size: int,
    stride: int,
    max_pixels: int,
) -> Iterator[tuple[int, np.ndarray, torch.Tensor]]:
    """Yield the windows of all images; images of one resized shape share a pass.

    Args:
        images (list[Tensor]): B × (3, H, W) uint8.
        boxes (list[ndarray]): B × (P, 4).
        prepare (callable): An image → normalised float32; called once per scale, so that only one
            large photo at a time is held as float32.
        convolve (callable): (b, 3, H', W') → (b, C, h, w).
        read (callable): (map (C, h, w), cells (p, 2)) → (p, …).
        size, stride (int): Of the patch and the map.
        max_pixels (int): Of the images in one pass; bounds the memory.

    Yields:
        tuple[int, ndarray, Tensor]: image index, indices of its boxes, result of `read`.
    """
    buckets: dict[tuple[int, int], list[tuple[int, np.ndarray, np.ndarray]]] = {}
    for b, (image, mine) in enumerate(zip(images, boxes, strict=True)):
        height, width = image.shape[-2:]
        for shape, (index, cells) in dense_plan(mine, size, stride, (height, width)).items():
            buckets.setdefault(shape, []).append((b, index, cells))
    for shape, jobs in buckets.items():
        together = max(1, max_pixels // (shape[0] * shape[1]))
        for first in range(0, len(jobs), together):
            part = jobs[first : first + together]
            batch = torch.stack([resize(prepare(images[b]), shape) for b, _, _ in part])
            maps = convolve(batch.contiguous(memory_format=torch.channels_last))
            for one, (b, index, cells) in zip(maps, part, strict=True):
                yield b, index, read(one, cells)
