"""Patches as coarse detections, for the metrics of mmdet."""

import importlib

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.structures import InstanceData
from torchvision.ops import batched_nms

from tcnn_mm.errors import UserError
from tcnn_mm.registry import METRICS


def patch_detections(boxes, scores, iou_threshold=0.3, min_score=0.05, max_per_image=100):
    """The patches that stay after non-maximum suppression within each class.

    Args:
        boxes (Tensor): (P, 4) xyxy.
        scores (Tensor): (P, K) float.
        iou_threshold (float): Of two patches of a class that overlap more, the better one stays.
        min_score (float): Lower ones are dropped first.
        max_per_image (int): The best of all classes.

    Returns:
        tuple[Tensor, Tensor, Tensor]: boxes (n, 4), scores (n,), labels (n,) int64, best first.
    """
    patch, label = torch.nonzero(scores >= min_score, as_tuple=True)
    boxes, values = boxes[patch].float(), scores[patch, label].float()
    kept = batched_nms(boxes, values, label, iou_threshold)[:max_per_image]
    return boxes[kept], values[kept], label[kept]


@METRICS.register_module()
class PatchDetectionMetric(BaseMetric):
    """Gives patches to a detection metric of mmdet, as what it calls instances.

    The boxes are squares of the grid, so the figure says how far "which patch" answers "which
    box", not how good a detector is. Difficult objects become `ignored_instances`.

    Args:
        metric (dict, optional): Defaults to `mmdet.VOCMetric` with the area under the curve.
        iou_threshold, min_score, max_per_image: See :func:`patch_detections`.
        prefix (str): Of the keys. Defaults to 'patch_detection'.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds `patch_boxes` (P, 4), `patch_scores` (P, K) (`PatchScoresHook`),
    `gt_bboxes` (n, 4), `gt_bboxes_labels`, `gt_bboxes_difficult` (n,).
    """

    reads_patch_scores = True

    def __init__(
        self,
        metric=None,
        iou_threshold=0.3,
        min_score=0.05,
        max_per_image=100,
        prefix='patch_detection',
        **kwargs,
    ):
        super().__init__(prefix=prefix, **kwargs)
        # mmdet takes seconds to import: only where this metric is used. The registry would hide
        # that it is missing behind a KeyError.
        importlib.import_module('mmdet')
        self.metric = ROOT_METRICS.build(metric or dict(type='mmdet.VOCMetric', eval_mode='area'))
        self.options = (iou_threshold, min_score, max_per_image)

    def process(self, data_batch, data_samples):
        self.metric.dataset_meta = self.dataset_meta
        self.metric.process(data_batch, [self._instances(sample) for sample in data_samples])
        # Gathered over processes here, under our name.
        self.results += self.metric.results
        self.metric.results.clear()

    def compute_metrics(self, results):
        return self.metric.compute_metrics(results)

    def _instances(self, sample):
        needed = ('patch_scores', 'patch_boxes', 'gt_bboxes', 'gt_bboxes_difficult')
        lacking = [key for key in needed if key not in sample]
        if lacking:
            raise UserError(
                f'PatchDetectionMetric: {sample.get("img_id")} has no {", ".join(lacking)}; it '
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
