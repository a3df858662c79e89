"""Where a class is: the position of its score map's maximum, and its best patches.

Letters: P patches, K classes, (h, w) cells of a map, (H, W) pixels of the picture.
"""

import torch
from torchvision.ops import nms

from tcnn_mm.patches.geometry import mean_score_map

# Cells this close to the maximum, relative to it, are the maximum: a map is constant on whole
# regions, and its running sums are exact to about 1e-7 in float32.
PLATEAU = 1e-6


def map_shape(size_hw, long_side=500):
    """(h, w) of a map: the picture's shape, shrunk so that the longer side is `long_side`.

    A smaller picture keeps its own pixels.
    """
    shrink = min(1.0, long_side / max(size_hw))
    return tuple(max(1, round(side * shrink)) for side in size_hw)


def map_peaks(maps):
    """The cell of each map's maximum.

    A score map is constant between patch edges, so its maximum is a region. The cell is the one
    of that region that is nearest to the region's centre of mass (the first in reading order of
    several): the middle of a convex region, and always a cell of maximal value, where the mere
    first cell would be the corner that is farthest from the object's middle.

    Args:
        maps (Tensor): (K, h, w) float.

    Returns:
        Tensor: (K, 2) int64, row and column.
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


def peaks_to_points(peaks, map_hw, size_hw):
    """Cells (K, 2) of a map as points (K, 2), x and y in pixels of the picture (cell centres)."""
    scale = peaks.new_tensor([size_hw[1] / map_hw[1], size_hw[0] / map_hw[0]], dtype=torch.float64)
    return (peaks.flip(1) + 0.5) * scale


def score_points(boxes, scores, size_hw, long_side=500, damping=0):
    """One point a class: the maximum of the mean score of the patches that cover a pixel.

    Args:
        boxes (Tensor): (P, 4) xyxy in pixels of the picture.
        scores (Tensor): (P, K) float, on the same device.
        size_hw (tuple[int, int]): The picture.
        long_side (int): Of the map, cells. Defaults to 500, VOC's own long side.
        damping (float): See :func:`mean_score_map`.

    Returns:
        Tensor: (K, 2) float64 (x, y) in pixels of the picture.
    """
    map_hw = map_shape(size_hw, long_side)
    peaks = map_peaks(mean_score_map(boxes, scores, size_hw, map_hw, damping))
    return peaks_to_points(peaks, map_hw, size_hw)


def best_patches(boxes, scores, count, overlap=0.3):
    """The highest-scored patches of a picture, one of each place.

    Args:
        boxes (Tensor): (P, 4) xyxy.
        scores (Tensor): (P,) of one class.
        count (int): How many at most.
        overlap (float): Patches whose intersection over union is above this share a place.

    Returns:
        list[int]: Their numbers, best first.
    """
    return nms(boxes.float(), scores.float(), overlap)[:count].tolist()
