"""The method without boxes: image labels alone; the best window speaks for its picture.

After Oquab et al., "Is object localization for free?", CVPR 2015.
"""

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.models.heads.adaptation_head import class_log_loss
from tcnn_mm.models.patch_classifier import PatchClassifier
from tcnn_mm.models.samples import is_features, keep_patches, sample_name
from tcnn_mm.patches.sampler import keyed_generator
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class WeakPatchClassifier(PatchClassifier):
    """Trains on image labels: windows are scored, pooled by class, and compared with the labels.

    No box is read. A class of which a picture has difficult objects only is not for the loss.
    Training takes one random scale a batch, a test the mean over scales of the pooled scores.

    Args:
        head (dict): AdaptationHead with `background=False`; its outputs are raw scores.
        sampler (dict): ScaleSampler.
        aggregator (dict, optional): Pools raw scores. Defaults to MaxAggregator;
            LogSumExpAggregator and MeanAggregator work too.
        **kwargs: Of :class:`PatchClassifier`.

    `pred_score` is the sigmoid of a picture's raw score (float64: near 1, float32 would make
    ties), `patch_scores` the sigmoid of each window's: independent probabilities, one a class.

    A `FeatureBank` of all windows (test_mode=True) serves for both: the network runs once, and
    training takes one of the test's scales a batch, without flips.

    In dense mode a batch costs one pass of the convolutions over each resized picture; the
    graph holds the head alone, of about 60 windows a picture (500×375, stride 32).
    """

    def __init__(self, *args, aggregator=None, **kwargs):
        pooling = aggregator or dict(type='tcnn_mm.MaxAggregator')
        super().__init__(*args, aggregator=pooling, **kwargs)
        if self.head.background:
            raise ValueError(
                'WeakPatchClassifier: image labels name no background; give the head '
                'background=False'
            )
        if not hasattr(self.sampler, 'counts'):
            raise ValueError(
                'WeakPatchClassifier: sampler must be a ScaleSampler, found '
                f'{type(self.sampler).__name__}'
            )
        if self.context is not None:
            raise ValueError('WeakPatchClassifier: context is for votes in [0, 1], not raw scores')
        if getattr(self.aggregator, 'k', 1) != 1:
            raise ValueError(
                f'WeakPatchClassifier: aggregator has k={self.aggregator.k}, a power '
                'of raw scores; use MaxAggregator or LogSumExpAggregator'
            )

    def votes(self, features):
        """Raw scores of windows: features → (p, K) float32."""
        return self.patch_logits(features).float()

    def loss(self, inputs, data_samples):
        """Log-loss of the pictures' pooled scores.

        Args:
            inputs (list[Tensor]): B pictures, uint8 (3, H, W) RGB; or their windows' features
                (P, D) of a bank.
            data_samples (list[DataSample]): With gt_label, gt_label_difficult (none if absent)
                and img_id (or img_path).

        Returns:
            dict: `loss`, a scalar.
        """
        self._need_key()
        ids = [sample_name(sample) for sample in data_samples]
        batch = self.key._replace(image_id='\0'.join(sorted(ids)))
        if is_features(inputs):
            return self._bag_loss(inputs, data_samples, batch)
        boxes = [
            self.sampler(tuple(image.shape[-2:]), training=True, key=batch).xyxy for image in inputs
        ]
        # A picture is mirrored as a whole.
        flips = [
            np.full(
                len(mine), keyed_generator('flip', *self.key[:2], name).random() < self.flip_prob
            )
            for mine, name in zip(boxes, ids, strict=True)
        ]
        owners, features = [], []
        for b, _, part in self.iter_features(inputs, boxes, flips):
            owners.append(b)
            features.append(part)
        votes = self.votes(torch.cat(features))
        owners = torch.from_numpy(np.concatenate(owners)).to(votes.device)
        scores = torch.stack([self.aggregator(votes[owners == b]) for b in range(len(inputs))])
        return dict(loss=class_log_loss(scores, self.picture_labels(data_samples)))

    def _bag_loss(self, bags, data_samples, batch):
        """The same from a bank of the test's windows: one of its scales a batch."""
        counts = [self.sampler.counts(sample.ori_shape) for sample in data_samples]
        if [len(bag) for bag in bags] != [sum(each) for each in counts]:
            raise ValueError(
                "WeakPatchClassifier: a bank of other windows than the sampler's; it needs "
                'test_mode=True'
            )
        draw = keyed_generator('scale', *batch).integers(min(map(len, counts)))
        parts = [bag.split(each)[draw] for bag, each in zip(bags, counts, strict=True)]
        votes = self.votes(torch.cat(parts).float()).split([len(part) for part in parts])
        scores = torch.stack([self.aggregator(mine) for mine in votes])
        return dict(loss=class_log_loss(scores, self.picture_labels(data_samples)))

    def predict(self, inputs, data_samples=None, **kwargs):
        """Pooled scores of each scale, their mean, its sigmoid; annotations are not read.

        Returns:
            list[DataSample]: As of :class:`PatchClassifier`.
        """
        if data_samples is None:
            data_samples = [DataSample() for _ in inputs]
        if is_features(inputs):
            sizes = [sample.ori_shape for sample in data_samples]
            boxes = [sample.bank_boxes.cpu().numpy() for sample in data_samples]
            votes = [self.votes(features.float()) for features in inputs]
            if self.on_patches:
                self.on_patches(*[sum(map(len, inputs))] * 2)
        else:
            sizes = [tuple(image.shape[-2:]) for image in inputs]
            boxes = [self.sampler(size_hw, training=False).xyxy for size_hw in sizes]
            votes = self.score_patches(inputs, boxes)
        for sample, size_hw, mine, raw in zip(data_samples, sizes, boxes, votes, strict=True):
            scales = raw.split(self.sampler.counts(size_hw))
            pooled = torch.stack([self.aggregator(scale) for scale in scales]).mean(0)
            sample.set_pred_score(pooled.double().sigmoid())
            if self.keep_patch_scores:
                keep_patches(sample, mine, raw.sigmoid())
        return data_samples
