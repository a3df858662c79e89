"""Where patches are and what each is called: pure functions on boxes (paper, sec. 3 and 4).

Letters used everywhere: P patches, N objects, K classes, S patch side in network pixels.
Boxes are xyxy in pixels of the stored picture, 0-based, edges (a box over the whole picture is
[0, 0, width, height]).
"""

import math

import numpy as np
import torch

# Of the maps that tools draw, as in our configs, chosen on val: the border is else too easily the
# maximum.
DAMPING = 20
# Paper, sec. 3: side = min(w, h) / scale. The text says eight scales and prints these nine.
PAPER_SCALES = (1.0, 1.3, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0)
# How long the side of the square around a box is.
SQUARE_SIDES = ('max', 'min', 'area')


def resized_shape(height, width, scale, size, snap=1):
    """Shape of the picture in which a patch of this scale is exactly size × size pixels.

    Args:
        height, width (int): The stored picture.
        scale (float): λ ≥ 1.
        size (int): S.
        snap (int): Both sides are S plus a multiple of this. Defaults to 1, whole pixels.

    Returns:
        tuple[int, int]: (height, width), each at least S.
    """
    factor = size * scale / min(height, width)
    return tuple(
        size + snap * max(0, round((side * factor - size) / snap)) for side in (height, width)
    )


def grid_offsets(length, size, step, snap=1):
    """Starts of windows of `size` on a line: evenly spaced, first and last at the ends.

    Args:
        length (int): The line, S plus a multiple of `snap`.
        step (float): The largest distance between neighbours, pixels.

    Returns:
        ndarray: (n,) int64 multiples of `snap`, strictly increasing.
    """
    room = (length - size) // snap
    count = math.ceil(room * snap / step - 1e-9) + 1
    return np.unique(np.rint(np.linspace(0, room, count)).astype(np.int64)) * snap


def grid_lines(height, width, scale, overlap, size, stride=None, snap=1):
    """One scale's grid as rows and columns: every row crosses every column.

    Args: as for :func:`grid_boxes`.

    Returns:
        tuple: starts y (rows,), starts x (columns,), and the patch's height and width, all in
        stored pixels, float64.
    """
    step = max(size * (1.0 - overlap) if stride is None else float(stride), snap)
    rows, columns = resized_shape(height, width, scale, size, snap)
    y = grid_offsets(rows, size, step, snap) * (height / rows)
    x = grid_offsets(columns, size, step, snap) * (width / columns)
    return y, x, size * height / rows, size * width / columns


def grid_boxes(height, width, scales=PAPER_SCALES, overlap=0.65, size=224, stride=None, snap=1):
    """Squares on a regular grid at every scale; each is a slice of one resized picture.

    Neighbours overlap by at least `overlap` (rounding to whole pixels may cost one pixel) and
    the outermost squares touch the border. The sides are whole pixels of the resized picture,
    so in stored pixels width and height may differ by its rounding.

    Args:
        scales (sequence[float]): λ, each ≥ 1: side = min(w, h) / λ.
        overlap (float): In [0, 1). The paper asks for "at least 50 %" and "around 500"
            patches; 0.65 gives 488 on a 500×375 picture, 0.5 only 275. Defaults to 0.65.
        size (int): S. Defaults to 224.
        stride (float, optional): The step in patch pixels; replaces `overlap`.
        snap (int): Offsets are multiples of this many patch pixels (a feature stride).

    Returns:
        ndarray: (P, 4) float32 xyxy, ordered by scale, then row, then column.
    """
    boxes = []
    for scale in scales:
        y, x, tall, wide = grid_lines(height, width, scale, overlap, size, stride, snap)
        y, x = np.broadcast_arrays(y[:, None], x[None, :])
        corners = (x, y, x + wide, y + tall)
        boxes.append(np.stack([c.ravel() for c in corners], axis=1))
    return np.concatenate(boxes).astype(np.float32)


def square_around(box, side='max', margin=0.0):
    """The square centred on a box (paper, sec. 6); it may leave the picture.

    Args:
        box (ndarray): (4,) xyxy.
        side (str): Of the square: 'max' or 'min' of the box's sides, or 'area', the root of
            their product.
        margin (float): The side is (1 + margin) times as long.

    Returns:
        ndarray: (4,) float64 xyxy.
    """
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    sides = x2 - x1, y2 - y1
    length = dict(max=max(sides), min=min(sides), area=math.sqrt(sides[0] * sides[1]))[side]
    half = (1 + margin) * length / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return np.array([x - half, y - half, x + half, y + half])


def intersections(patches, boxes):
    """Areas that patches share with boxes: (P, 4), (N, 4) → (P, N) float64 square pixels."""
    patches = np.asarray(patches, np.float64)[:, None]
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)[None]
    sides = np.minimum(patches[..., 2:], boxes[..., 2:]) - np.maximum(
        patches[..., :2], boxes[..., :2]
    )
    return np.clip(sides, 0, None).prod(axis=-1)


def areas(boxes):
    """(N, 4) xyxy → (N,) float64 square pixels."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def largest(boxes):
    """Which boxes of a grid are of its largest scale: together, the whole picture; (P,) bool."""
    sizes = areas(boxes)
    # The next scale, 1.3 after 1, has 0.59 of the area; rounding moves a few per cent.
    return sizes > 0.8 * sizes.max(initial=0.0)


def label_patches(
    patches,
    boxes,
    labels,
    difficult=None,
    *,
    num_classes,
    min_patch_share=0.2,
    min_object_share=0.6,
    same_class='delete',
    difficult_as='ignore',
    strict=False,
):
    """Name each patch: a class, background, or -1 for deleted (paper, sec. 4).

    An object passes for a patch when it fills at least `min_patch_share` of the patch and at
    least `min_object_share` of the object lies inside. One passing object names the patch, two
    delete it, none makes it background (Figure 4 of the paper).

    Args:
        patches (ndarray): (P, 4) xyxy.
        boxes (ndarray): (N, 4) xyxy.
        labels (ndarray): (N,) int, 0 … K-1.
        difficult (ndarray, optional): (N,) bool.
        num_classes (int): K; background is label K.
        same_class (str): Two passing objects of one class: 'delete' (literal reading) or
            'keep' (the label, with the object that the patch shows most of).
        difficult_as (str): 'ignore': a patch with only difficult objects passing is deleted, beside
            another object they do not count; 'object': an object like any other;
            'background': as if it were not there.
        strict (bool): Also delete a named patch that touches any second object at all.

    Returns:
        tuple[ndarray, ndarray]: labels (P,) int64 in {-1, 0 … K}, and the naming object's
        index (P,) int64, -1 where there is none.
    """
    num_patches = len(patches)
    label = np.full(num_patches, num_classes, np.int64)
    owner = np.full(num_patches, -1, np.int64)
    labels = np.asarray(labels, np.int64)
    if len(labels) == 0 or num_patches == 0:
        return label, owner
    hard = np.zeros(len(labels), bool) if difficult is None else np.asarray(difficult, bool)
    inside = intersections(patches, boxes)
    passing = (inside >= min_patch_share * areas(patches)[:, None]) & (
        inside >= min_object_share * areas(boxes)[None]
    )
    only_hard = np.zeros(num_patches, bool)
    if difficult_as != 'object':
        easy = passing & ~hard
        only_hard = passing.any(1) & ~easy.any(1) & (difficult_as == 'ignore')
        passing = easy
        inside = inside * ~hard
    count = passing.sum(1)
    best = np.where(passing, inside, -1.0).argmax(1)
    named = count == 1
    if same_class == 'keep':
        low = np.where(passing, labels, num_classes).min(1)
        high = np.where(passing, labels, -1).max(1)
        named = (count >= 1) & (low == high)
    if strict:
        named &= (inside > 0).sum(1) == 1
    label[count > 0] = -1
    label[only_hard] = -1
    label[named] = labels[best[named]]
    owner[named] = best[named]
    return label, owner


def mean_score_map(boxes, scores, size_hw, map_hw, damping=0):
    """Lay patch scores on the picture: the mean score of all patches that cover a pixel.

    A map is constant between the patches' edges, and a grid has few of those: one difference
    array a class over the edges alone and two running sums, then every cell reads its place. So
    the cost does not grow with the patches' areas (paper, sec. 7: localisation maps).

    Args:
        boxes (Tensor): (P, 4) xyxy in pixels of the picture.
        scores (Tensor): (P, K) float.
        size_hw (tuple[int, int]): The picture.
        map_hw (tuple[int, int]): The map; a cell is covered when its centre lies in the patch.
        damping (float): So many more patches of score 0 cover each pixel: few patches reach the
            border, and there a single high score makes a high mean. Paper: 0.

    Returns:
        Tensor: (K, h, w) float32; 0 where no patch lies.
    """
    height, width = map_hw
    scale = boxes.new_tensor([width / size_hw[1], height / size_hw[0]] * 2)
    # The first centre at or after an edge: the same rule for both ends makes patches tile.
    edges = torch.ceil(boxes.double() * scale.double() - 0.5 - 1e-6).long()
    x = edges[:, 0::2].clamp(0, width)
    y = edges[:, 1::2].clamp(0, height)
    (xs, column), (ys, row) = (torch.unique(edge, return_inverse=True) for edge in (x, y))
    values = torch.cat([scores.double(), scores.new_ones(len(scores), 1).double()], 1).T
    flat = values.new_zeros(len(values), len(ys) * len(xs))
    for first, second, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
        flat.index_add_(1, row[:, first] * len(xs) + column[:, second], values, alpha=sign)
    sums = flat.view(len(values), len(ys), len(xs)).cumsum(1).cumsum(2)
    means = (sums[:-1] / (sums[-1:].round() + damping).clamp(min=1)).float()
    # Before the first edge lies nothing.
    means = torch.nn.functional.pad(means, (1, 0, 1, 0))
    cells = [torch.arange(n, device=edge.device) for n, edge in ((height, ys), (width, xs))]
    rows, columns = (
        torch.searchsorted(edge, cell, right=True)
        for edge, cell in zip((ys, xs), cells, strict=True)
    )
    return means.index_select(1, rows).index_select(2, columns)
