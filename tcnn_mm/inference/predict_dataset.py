"""Score the images of a data set in batches: the one loop behind tests of a fitted model.

Letters: N images, K classes, P patches of an image.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.source_images import SizedDataset
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.models.samples import sample_labels, sample_name
from tcnn_mm.patches.bank_batch import BankWindows


@dataclass(frozen=True)
class ImagePrediction:
    """The scores of one image.

    Attributes:
        index (int): Of the item in the data set.
        image_id (str): :func:`sample_name` of its sample.
        inputs (Tensor | BankWindows): As the data set gave them, e.g. uint8 (3, H, W) RGB.
        sample (DataSample): On the CPU, with `pred_score` and the annotations.
        scores (ndarray): (K,) float64.
        labels (ndarray): (K,) int64 in {1, 0, -1}.
        patch_boxes (Tensor, optional): (P, 4) xyxy pixels, on the CPU; with `return_patches`.
        patch_scores (Tensor, optional): (P, K), on the CPU; with `return_patches`.
    """

    index: int
    image_id: str
    inputs: torch.Tensor | BankWindows
    sample: DataSample
    scores: np.ndarray
    labels: np.ndarray
    patch_boxes: torch.Tensor | None = None
    patch_scores: torch.Tensor | None = None


@torch.no_grad()
def predict_batch(
    model: PatchModel,
    items: Sequence[Mapping[str, Any]],
    return_patches: bool = False,
    return_features: bool = False,
) -> list[DataSample]:
    """Score one batch as a test does.

    Args:
        model: In eval mode, with its weights.
        items: Of a data set: `inputs` (uint8 (3, H, W) RGB of any size, or `BankWindows`) and
            `data_samples`.
        return_patches: Also set `patch_boxes` (P, 4) and `patch_scores` (P, K).
        return_features: Also set `whole_feature` (D,), the mean feature of the largest patches.

    Returns:
        Copies of the samples on the CPU, with `pred_score` (K,).
    """
    if not items:
        return []
    batch = model.data_preprocessor(pseudo_collate(list(items)))
    found = model.predict(**batch, return_patches=return_patches, return_features=return_features)
    return [sample.cpu() for sample in found]


def predict_dataset(
    model: PatchModel,
    dataset: SizedDataset,
    batch_size: int = 4,
    return_patches: bool = False,
    indices: Sequence[int] | None = None,
    progress: bool = True,
) -> Iterator[ImagePrediction]:
    """Score the images of a data set, in its order.

    The scores of an image do not depend on its batch, up to the order of float32 sums; of a
    feature bank they are bit-equal at any batch size.

    Args:
        model: In eval mode, with its weights.
        dataset: Images of any sizes, or a `FeatureBank` with `test_mode=True`.
        batch_size: Images per call of `model.predict`; `chunk_size` of the model bounds the memory.
        return_patches: Keep `patch_boxes` and `patch_scores` of each image.
        indices: Only these items, in this order. Defaults to all.
        progress: Show a progress bar with the time left.

    Yields:
        ImagePrediction: One per image.
    """
    chosen = range(len(dataset)) if indices is None else [int(i) for i in indices]
    bar = progress_bar(len(chosen), 'image') if progress else None
    try:
        for first in range(0, len(chosen), batch_size):
            batch = chosen[first : first + batch_size]
            items = [dataset[i] for i in batch]
            found = predict_batch(model, items, return_patches)
            for index, item, sample in zip(batch, items, found, strict=True):
                yield ImagePrediction(
                    index=index,
                    image_id=sample_name(sample),
                    inputs=item['inputs'],
                    sample=sample,
                    scores=sample.pred_score.double().numpy(),
                    labels=sample_labels(sample, model.head.num_classes),
                    patch_boxes=sample.patch_boxes if return_patches else None,
                    patch_scores=sample.patch_scores if return_patches else None,
                )
                if bar is not None:
                    bar.update()
    finally:
        if bar is not None:
            bar.close()
