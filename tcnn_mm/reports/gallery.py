"""Draw the chosen test images of each class: localization maps, and sheets of the best patches.

Letters: N images, K classes, P patches of an image.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch

from tcnn_mm.datasets.source_images import SizedDataset
from tcnn_mm.engine.fold_heads import FoldHeads
from tcnn_mm.evaluation.calibration import Calibration, probability_or_none
from tcnn_mm.inference.predict_dataset import ImagePrediction, predict_dataset
from tcnn_mm.inference.results import localization_maps
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.peaks import best_patches, map_peaks, peaks_to_points
from tcnn_mm.reports.bank_features import BankFeatures
from tcnn_mm.reports.examples import GROUPS, TestImages
from tcnn_mm.reports.run_artifacts import Scores
from tcnn_mm.visualization.contact_sheet import contact_sheet, crop_box
from tcnn_mm.visualization.map_values import class_title
from tcnn_mm.visualization.score_map import ScoreMapVisualizer

PATCHES = 16  # on the contact sheet of a class
FRAMES = {1: '#2e8b57', 0: '#999999', -1: '#c0392b'}


class Example(NamedTuple):
    """One image under one class.

    Attributes:
        image_id (str): As in image_scores.csv.
        rank (int): Of its score among all images, from 1.
        score (float): Image score of the class.
        label (int): 1, 0 or -1.
        probability (float | None): Of the class, of a calibrated checkpoint.
        drawing (ndarray): (h, w, 3) uint8 RGB.
    """

    image_id: str
    rank: int
    score: float
    label: int
    probability: float | None
    drawing: np.ndarray


class Patch(NamedTuple):
    """A patch of the contact sheet: its score, the label of its image, (h, w, 3) uint8 RGB."""

    score: float
    label: int
    pixels: np.ndarray


@dataclass
class ClassGallery:
    """The drawings of one class.

    Attributes:
        groups (dict): Group of :data:`GROUPS` → examples.
        patches (list): Best patches of the groups 'found' and 'false alarms'.
    """

    groups: dict[str, list[Example]] = field(default_factory=dict)
    patches: list[Patch] = field(default_factory=list)

    def sheet(self) -> np.ndarray | None:
        """Contact sheet of the best patches, (h, w, 3) uint8 RGB; None without patches."""
        if not self.patches:
            return None
        best = sorted(self.patches, key=lambda patch: -patch.score)[:PATCHES]
        return contact_sheet(
            [patch.pixels for patch in best],
            [f'{patch.score:.2f}' for patch in best],
            colors=[FRAMES[patch.label] for patch in best],
        )


def ranks(scores: np.ndarray) -> np.ndarray:
    """Rank of each score (N,), from 1 for the highest; ties keep their order."""
    return np.argsort(np.argsort(-scores, kind='stable')) + 1


def draw_examples(
    model: PatchModel,
    images: TestImages,
    chosen: Mapping[int, Mapping[str, np.ndarray]],
    scores: Scores,
    damping: float,
    features: BankFeatures | None = None,
    heads: FoldHeads | None = None,
    calibration: Mapping[str, Calibration | None] | None = None,
) -> dict[int, ClassGallery]:
    """Draw all chosen images of all classes; without features each passes the network once.

    Args:
        model: In eval mode, with its weights.
        images: Of the test.
        chosen: Class index → group → rows of `scores`.
        scores: Image scores of the test.
        damping: Of the maps.
        features: Of the test, where it left them on disk.
        heads: Of the folds, where each image is scored by the one that did not see it.
        calibration: Class → curve of its probability; None for a class without.

    Returns:
        Class index → drawings.
    """
    wanted: dict[int, list[tuple[int, str]]] = {}
    for k, groups in chosen.items():
        for group, rows in groups.items():
            for row in rows.tolist():
                wanted.setdefault(row, []).append((k, group))
    order = sorted(wanted)
    rank = {k: ranks(scores.values[:, k]) for k in chosen}
    drawn: dict[tuple[int, int], Example] = {}
    galleries = {k: ClassGallery() for k in chosen}
    source, at = (images.dataset, images.indices) if features is None else features
    indices = [int(at[row]) for row in order]
    found = _predictions(model, source, indices, [scores.ids[row] for row in order], heads)
    for row, prediction in zip(order, found, strict=True):
        if features is not None:  # a bank has no pixels, and an older one no objects
            item = images.dataset[int(images.indices[row])]
            prediction = replace(
                prediction, inputs=item['inputs'], sample=item['data_samples'].cpu()
            )
        assert isinstance(prediction.inputs, torch.Tensor)
        pixels = np.ascontiguousarray(prediction.inputs.permute(1, 2, 0).numpy())
        for k, group in wanted[row]:
            score, label = float(scores.values[row, k]), int(images.labels[row, k])
            name = scores.classes[k]
            p = probability_or_none(score, (calibration or {}).get(name))
            drawing = draw_map(prediction, pixels, k, name, score, damping, p)
            drawn[row, k] = Example(scores.ids[row], int(rank[k][row]), score, label, p, drawing)
            if group != GROUPS[2]:
                galleries[k].patches += _best_patches(prediction, pixels, k, label)
    for k, groups in chosen.items():
        galleries[k].groups = {
            group: [drawn[row, k] for row in rows.tolist()] for group, rows in groups.items()
        }
    return galleries


def _predictions(
    model: PatchModel,
    source: SizedDataset,
    indices: Sequence[int],
    ids: Sequence[str],
    heads: FoldHeads | None,
) -> Iterator[ImagePrediction]:
    """Score some items of a data set, with their patches; `ids` are those of the items."""
    if heads is None:
        yield from predict_dataset(model, source, return_patches=True, indices=indices)
        return
    for index, image_id in zip(indices, ids, strict=True):
        heads.use(model, image_id)
        yield from predict_dataset(
            model, source, return_patches=True, indices=[index], progress=False
        )


def draw_map(
    prediction: ImagePrediction,
    pixels: np.ndarray,
    k: int,
    name: str,
    score: float,
    damping: float,
    probability: float | None = None,
) -> np.ndarray:
    """Draw the map of class `k` over its image, with the annotated objects of the class.

    Args:
        prediction: With patches.
        pixels: (H, W, 3) uint8 RGB of the image.
        k: Index of the class.
        name: Of the class.
        score: Image score of the class.
        damping: Of the map.
        probability: Calibrated, of the class.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    assert prediction.patch_boxes is not None and prediction.patch_scores is not None
    size_hw = pixels.shape[0], pixels.shape[1]
    votes = prediction.patch_scores[:, k : k + 1]
    maps = localization_maps(prediction.patch_boxes, votes, size_hw, damping)
    points = peaks_to_points(map_peaks(torch.from_numpy(maps)), maps.shape[1:], size_hw)
    sample = prediction.sample
    objects = sample.gt_bboxes[sample.gt_bboxes_labels == k].numpy()
    return ScoreMapVisualizer().draw_score_maps(
        pixels,
        maps,
        [class_title(name, score, probability)],
        boxes=objects,
        box_names=[name] * len(objects),
        map_names=[name],
        points=points.numpy(),
        with_image=False,
        damping=damping,
        probabilities=[probability],
    )


def _best_patches(
    prediction: ImagePrediction, pixels: np.ndarray, k: int, label: int
) -> list[Patch]:
    """The best patches of one image for class `k`, at most half a contact sheet."""
    assert prediction.patch_boxes is not None and prediction.patch_scores is not None
    boxes, votes = prediction.patch_boxes, prediction.patch_scores[:, k].float()
    return [
        Patch(float(votes[p]), label, crop_box(pixels, boxes[p]))
        for p in best_patches(boxes, votes, PATCHES // 2)
    ]
