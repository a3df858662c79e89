"""Evaluate patches as coarse detections, with the metrics of mmdet."""

import importlib
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.structures import InstanceData
from torchvision.ops import batched_nms

from tcnn_mm.errors import UserError
from tcnn_mm.registry import METRICS


def patch_detections(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    iou_threshold: float = 0.3,
    min_score: float = 0.05,
    max_per_image: int = 100,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Keep the best patches after non-maximum suppression within each class.

    Args:
        boxes: (P, 4) xyxy.
        scores: (P, K) float.
        iou_threshold: The lower-scored of two patches of one class that overlap more is dropped.
        min_score: Patches with a lower score are dropped first.
        max_per_image: The largest number of detections, of all classes together.

    Returns:
        Boxes (n, 4), scores (n,), labels (n,) int64, best first.
    """
    patch, label = torch.nonzero(scores >= min_score, as_tuple=True)
    boxes, values = boxes[patch].float(), scores[patch, label].float()
    kept = batched_nms(boxes, values, label, iou_threshold)[:max_per_image]
    return boxes[kept], values[kept], label[kept]


@METRICS.register_module()
class PatchDetectionMetric(BaseMetric):
    """Evaluates patches with a detection metric of mmdet, as its instances.

    The boxes are squares of the grid, so the result measures how well patches localize objects,
    not how good a detector is. Difficult objects become `ignored_instances`. Needs mmdet.

    Args:
        metric (dict, optional): Defaults to `mmdet.VOCMetric` with the area under the curve.
        iou_threshold, min_score, max_per_image: See :func:`patch_detections`.
        prefix (str): Prefix of the result keys. Defaults to 'patch_detection'.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds `patch_boxes` (P, 4), `patch_scores` (P, K) (`PatchScoresHook`),
    `gt_bboxes` (n, 4), `gt_bboxes_labels`, `gt_bboxes_difficult` (n,).

    Raises:
        UserError: mmdet is not installed, or a sample lacks something.
    """

    # `PatchScoresHook` reads it.

    reads_patch_scores = True

    def __init__(
        self,
        metric: dict[str, Any] | None = None,
        iou_threshold: float = 0.3,
        min_score: float = 0.05,
        max_per_image: int = 100,
        prefix: str = 'patch_detection',
        **kwargs: Any,
    ) -> None:
        super().__init__(prefix=prefix, **kwargs)
        # Importing mmdet takes seconds, and the registry would report a KeyError without it.
        try:
            importlib.import_module('mmdet')
        except ImportError as error:
            raise UserError(
                f"PatchDetectionMetric needs mmdet ({error}): pip install 'tcnn_mm[det]'"
            ) from error
        self.metric = ROOT_METRICS.build(metric or dict(type='mmdet.VOCMetric', eval_mode='area'))
        self.options = (iou_threshold, min_score, max_per_image)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Pass the patches of each sample to the metric of mmdet."""
        self.metric.dataset_meta = self.dataset_meta
        self.metric.process(data_batch, [self._instances(sample) for sample in data_samples])
        # This metric gathers the results of all processes.
        self.results += self.metric.results
        self.metric.results.clear()

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Return what the metric of mmdet computes."""
        return self.metric.compute_metrics(results)

    def _instances(self, sample: dict[str, Any]) -> dict[str, InstanceData]:
        """Convert a sample to what a metric of mmdet reads."""
        needed = ('patch_scores', 'patch_boxes', 'gt_bboxes', 'gt_bboxes_difficult')
        missing = [key for key in needed if key not in sample]
        if missing:
            raise UserError(
                f'PatchDetectionMetric: {sample.get("img_id")} has no {", ".join(missing)}; it '
                "needs dict(type='tcnn_mm.PatchScoresHook') in custom_hooks and a split with boxes"
            )
        boxes, scores, labels = patch_detections(
            sample['patch_boxes'], sample['patch_scores'], *self.options
        )
        hard = sample['gt_bboxes_difficult'].bool()
        truth = InstanceData(bboxes=sample['gt_bboxes'], labels=sample['gt_bboxes_labels'])
        return dict(
            pred_instances=InstanceData(bboxes=boxes, scores=scores, labels=labels),
            gt_instances=truth[~hard],
            ignored_instances=truth[hard],
        )
