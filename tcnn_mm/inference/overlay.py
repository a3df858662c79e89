"""A prediction as a picture: the score maps of some classes over it."""

import os.path as osp

import numpy as np
import torch
from PIL import Image

from tcnn_mm.patches.peaks import map_peaks, peaks_to_points
from tcnn_mm.visualization.score_map import ScoreMapVisualizer


def draw_overlay(image, maps, names, scores, labels, damping=0):
    """The picture, and beside it one map a class with its maximum.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        maps (dict): Class → (h, w) float32, all of one shape; the picture is shrunk to it.
        names (list[str]): The classes to draw, in this order.
        scores (dict): Class → image score.
        labels (list[str]): The classes that the picture is named by.
        damping (float): Of the maps, for the legend. Defaults to 0.

    Returns:
        ndarray: (h', w', 3) uint8 RGB.
    """
    drawn = np.stack([maps[name] for name in names])
    shape = drawn.shape[1:]
    if image.shape[:2] != shape:
        image = np.asarray(Image.fromarray(image).resize(shape[::-1], Image.Resampling.BILINEAR))
    points = peaks_to_points(map_peaks(torch.from_numpy(drawn)), shape, shape)
    titles = [
        f'{name}, image score {scores[name]:.2g}' + ('' if name in labels else ' (not named)')
        for name in names
    ]
    return ScoreMapVisualizer().draw_score_maps(
        image, drawn, titles, points=points.numpy(), damping=damping
    )


def unused_name(path, taken):
    """A PNG's name for a picture: its own, numbered where another picture has it already.

    Args:
        path (str): The picture.
        taken (set): Names given so far; the new one is added.
    """
    stem, name, number = osp.splitext(osp.basename(path))[0], None, 1
    while name is None or name in taken:
        name = f'{stem}.png' if number == 1 else f'{stem}_{number}.png'
        number += 1
    taken.add(name)
    return name
