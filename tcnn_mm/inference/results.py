"""Results as plain dicts: scores, labels, best patches and localization maps by class name.

Letters: P patches of an image, K classes, (h, w) cells of a map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.inference.label_rule import LabelRule
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import best_patches, map_shape


class PatchResult(TypedDict):
    """One patch: `box` [x1, y1, x2, y2] in pixels of the image, and its score for a class."""

    box: list[float]
    score: float


class ImageResult(TypedDict, total=False):
    """The result for one image; `error` stands alone beside `img_path`."""

    img_path: str | None
    scores: dict[str, float]
    labels: list[str]
    probabilities: dict[str, float | None]
    unfamiliar: float
    patches: dict[str, list[PatchResult]]
    maps: dict[str, np.ndarray]
    image: np.ndarray
    overlay: str
    error: str


def top_patches(boxes: torch.Tensor, scores: torch.Tensor, count: int) -> list[PatchResult]:
    """Best patches of one class; patches that overlap a better one are left out.

    Args:
        boxes: (P, 4) xyxy.
        scores: (P,) of the class.
        count: How many at most.
    """
    return [
        PatchResult(box=boxes[p].tolist(), score=float(scores[p]))
        for p in best_patches(boxes, scores, count)
    ]


def localization_maps(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    size_hw: tuple[int, int],
    damping: float,
    long_side: int = 500,
) -> np.ndarray:
    """Mean score of the patches that cover each cell (paper, sec. 7).

    Args:
        boxes: (P, 4) xyxy in pixels of the image.
        scores: (P, C) of the classes wanted.
        size_hw: Height and width of the image.
        damping: Patches of score 0 added to each cell; 0 is the paper's mean.
        long_side: Cells of the longer side; a smaller image has one cell per pixel.

    Returns:
        (C, h, w) float32.
    """
    maps = mean_score_map(boxes, scores.float(), size_hw, map_shape(size_hw, long_side), damping)
    return maps.cpu().numpy()


@dataclass(frozen=True)
class ResultOptions:
    """What a result holds.

    Attributes:
        shown (list[str], optional): Classes whose patches and maps are given; None: the labels of
            each image, else its best class.
        damping (float): Of the maps.
        top_patches (int): Patches per class.
        score_maps (bool): Add `maps`.
        long_side (int): Of the maps, cells.
        keep_image (bool): Add `image`.
    """

    shown: Sequence[str] | None
    damping: float
    top_patches: int = 5
    score_maps: bool = False
    long_side: int = 500
    keep_image: bool = False


def image_result(
    sample: DataSample,
    pixels: np.ndarray,
    class_names: Sequence[str],
    rule: LabelRule,
    options: ResultOptions,
) -> ImageResult:
    """Turn a predicted sample with patches into a dict by class name.

    Args:
        sample: With `pred_score` (K,), `patch_boxes` (P, 4), `patch_scores` (P, K).
        pixels: (H, W, 3) uint8 RGB of the image.
        class_names: K names.
        rule: Chooses the labels.
        options: What the result holds.
    """
    scores = dict(zip(class_names, sample.pred_score.tolist(), strict=True))
    labels = rule.labels(scores)
    shown = options.shown
    if shown is None:
        shown = labels or [max(scores, key=lambda name: scores[name])]
    index = {name: k for k, name in enumerate(class_names)}
    boxes, votes = sample.patch_boxes, sample.patch_scores[:, [index[name] for name in shown]]
    result = ImageResult(
        scores=scores,
        labels=labels,
        patches={
            name: top_patches(boxes, mine, options.top_patches)
            for name, mine in zip(shown, votes.T, strict=True)
        },
    )
    probabilities = rule.probabilities(scores)
    if probabilities is not None:
        result['probabilities'] = probabilities
    if options.score_maps:
        size_hw = pixels.shape[0], pixels.shape[1]
        maps = localization_maps(boxes, votes, size_hw, options.damping, options.long_side)
        result['maps'] = dict(zip(shown, maps, strict=True))
    if options.keep_image:
        result['image'] = pixels
    return result
