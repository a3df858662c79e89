"""Draw the localization maps of a result over its image."""

import os.path as osp
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from tcnn_mm.datasets.image_ids import png_path
from tcnn_mm.inference.results import ImageResult
from tcnn_mm.patches.peaks import map_peaks, peaks_to_points
from tcnn_mm.visualization.map_values import class_title
from tcnn_mm.visualization.score_map import ScoreMapVisualizer


def resize_rgb(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 RGB to (height, width, 3), bilinear; unchanged at the same size."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def map_titles(result: ImageResult, names: Sequence[str]) -> list[str]:
    """One title per class: its name, its probability (else score), and whether it is a label."""
    found = result.get('probabilities') or {}
    return [
        class_title(
            name,
            result['scores'][name],
            found.get(name),
            '' if name in result['labels'] else ' (not a label)',
        )
        for name in names
    ]


def map_probabilities(result: ImageResult, names: Sequence[str]) -> list[float | None] | None:
    """Calibrated probability per class, None for one without; None without calibration."""
    found = result.get('probabilities')
    return None if found is None else [found[name] for name in names]


def draw_overlay(
    result: ImageResult, names: Sequence[str], damping: float = 0, stretch: bool = False
) -> np.ndarray:
    """Draw an image, and beside it one map per class with a cross at its maximum.

    Args:
        result: With `maps` and `image`; the image is resized to its maps.
        names: The classes to draw, in this order.
        damping: Of the maps, for the legend.
        stretch: The hottest colour is the largest value of these maps (see :func:`map_values`).

    Returns:
        (h', w', 3) uint8 RGB.
    """
    maps = np.stack([result['maps'][name] for name in names])
    height, width = maps.shape[1:]
    points = peaks_to_points(map_peaks(torch.from_numpy(maps)), (height, width), (height, width))
    return ScoreMapVisualizer(stretch=stretch).draw_score_maps(
        resize_rgb(result['image'], height, width),
        maps,
        map_titles(result, names),
        points=points.numpy(),
        damping=damping,
        probabilities=map_probabilities(result, names),
    )


def unique_png_name(path: str, taken: set[str]) -> str:
    """Name the PNG of an image after its file (:func:`png_path`).

    Args:
        path: The image.
        taken: Names given so far; the new one is added.
    """
    return png_path(osp.splitext(osp.basename(path))[0], taken)
