"""Position of a class in an image: the maximum of its score map, and its best patches.

Letters: P patches, K classes, (h, w) cells of a map, (H, W) pixels of the image.
"""

import torch
from torchvision.ops import nms

from tcnn_mm.patches.geometry import mean_score_map

# Cells within this relative distance of the maximum belong to it: a map is constant on whole
# regions, and its running sums are exact to about 1e-7 in float32.
PLATEAU = 1e-6


def map_shape(size_hw: tuple[int, int], long_side: int = 500) -> tuple[int, int]:
    """Return (h, w) of a map: the shape of the image with a longer side of at most `long_side`."""
    shrink = min(1.0, long_side / max(size_hw))
    height, width = (max(1, round(side * shrink)) for side in size_hw)
    return height, width


def map_peaks(maps: torch.Tensor) -> torch.Tensor:
    """Find the cell of the maximum of each map.

    A score map is constant between patch edges, so its maximum is a region. Of that region the
    cell nearest to the centre of mass is taken (of several, the first in reading order): the
    middle of a convex region, and always a cell of maximal value. The first cell of the region
    would be a corner of it.

    Args:
        maps: (K, h, w) float.

    Returns:
        (K, 2) int64, row and column.
    """
    height, width = maps.shape[1:]
    top = maps.flatten(1).amax(1)
    region = maps >= (top - PLATEAU * top.abs())[:, None, None]
    row = torch.arange(height, dtype=torch.float64, device=maps.device)
    column = torch.arange(width, dtype=torch.float64, device=maps.device)
    count = region.sum((1, 2)).double()
    middle_y = (region.sum(2) * row).sum(1) / count
    middle_x = (region.sum(1) * column).sum(1) / count
    distance = ((row - middle_y[:, None]) ** 2)[:, :, None] + ((column - middle_x[:, None]) ** 2)[
        :, None
    ]
    nearest = distance.masked_fill(~region, torch.inf).flatten(1).argmin(1)
    return torch.stack([nearest // width, nearest % width], 1)


def peaks_to_points(
    peaks: torch.Tensor, map_hw: tuple[int, int], size_hw: tuple[int, int]
) -> torch.Tensor:
    """Convert cells (K, 2) of a map to their centres (K, 2) float64, xy in pixels of the image."""
    scale = peaks.new_tensor([size_hw[1] / map_hw[1], size_hw[0] / map_hw[0]], dtype=torch.float64)
    return (peaks.flip(1) + 0.5) * scale


def score_points(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    size_hw: tuple[int, int],
    long_side: int = 500,
    damping: float = 0,
) -> torch.Tensor:
    """Return one point per class: the maximum of its :func:`mean_score_map`.

    Args:
        boxes: (P, 4) xyxy in pixels of the image.
        scores: (P, K) float, on the same device.
        size_hw: Height and width of the image, pixels.
        long_side: Longer side of the map, cells. Defaults to 500, the long side of VOC's images.
        damping: See :func:`mean_score_map`.

    Returns:
        (K, 2) float64 (x, y) in pixels of the image.
    """
    map_hw = map_shape(size_hw, long_side)
    peaks = map_peaks(mean_score_map(boxes, scores, size_hw, map_hw, damping))
    return peaks_to_points(peaks, map_hw, size_hw)


def best_patches(
    boxes: torch.Tensor, scores: torch.Tensor, count: int, overlap: float = 0.3
) -> list[int]:
    """Return the highest-scored patches of an image after non-maximum suppression.

    Args:
        boxes: (P, 4) xyxy.
        scores: (P,) of one class.
        count: The largest number of patches.
        overlap: Intersection over union above which the lower-scored patch is dropped.

    Returns:
        Indices of the patches, best first.
    """
    return nms(boxes.float(), scores.float(), overlap)[:count].tolist()
