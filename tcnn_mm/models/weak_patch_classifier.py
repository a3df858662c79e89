"""Training on image labels without boxes: max-pooled multiple-instance learning.

After Oquab et al., "Is object localization for free?", CVPR 2015.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.builders import has_own_loss
from tcnn_mm.models.heads.adaptation_head import class_log_loss
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.models.patch_voter import WindowVoter
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.bank_batch import BankWindows
from tcnn_mm.patches.sampler import Patches, RandomKey, keyed_generator
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class WeakPatchClassifier(PatchModel):
    """Trains on image labels: windows are scored, pooled per class, and compared with the labels.

    No box is read. A class of which an image has difficult objects only is not for the loss.
    Training takes one random scale per batch, a test the mean over scales of the pooled scores.

    Args:
        head (dict): AdaptationHead with `background=False`; its outputs are raw scores.
        sampler (dict): ScaleSampler.
        aggregator (dict, optional): Pools raw scores. Defaults to MaxAggregator;
            LogSumExpAggregator and MeanAggregator work too.
        **kwargs: Of :class:`PatchClassifier`.

    `pred_score` is the sigmoid of the raw score of an image (float64), `patch_scores` that of
    each window: independent probabilities, one per class.

    A `FeatureBank` of all windows (test_mode=True) serves training and test: the network runs
    once, and training takes one of the test's scales per batch, without flips.

    In dense mode a batch costs one pass of the convolutions over each resized image; the graph
    holds the head alone, of about 60 windows per image (500×375, stride 32).
    """

    voter_type = WindowVoter
    default_aggregator = 'tcnn_mm.MaxAggregator'

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_own_loss(self.head):
            raise InvalidValueError(
                f'WeakPatchClassifier: {type(self.head).__name__} has a loss of labelled patches, '
                'and image labels label none; give a head without a loss of its own'
            )
        if self.head.background:
            raise InvalidValueError(
                'WeakPatchClassifier: image labels name no background; give the head '
                'background=False'
            )
        if not hasattr(self.sampler, 'counts'):
            raise InvalidValueError(
                'WeakPatchClassifier: sampler must be a ScaleSampler, found '
                f'{type(self.sampler).__name__}'
            )
        if self.context is not None:
            raise InvalidValueError(
                'WeakPatchClassifier: context is for votes in [0, 1], not raw scores'
            )
        if getattr(self.aggregator, 'k', 1) != 1:
            raise InvalidValueError(
                f'WeakPatchClassifier: aggregator has k={self.aggregator.k}, a power '
                'of raw scores; use MaxAggregator or LogSumExpAggregator'
            )

    def test_patches(self, image: torch.Tensor, sample: DataSample) -> Patches:
        """All windows of all scales."""
        return self.sampler(tuple(image.shape[-2:]), training=False)

    def scale_counts(self, size_hw: tuple[int, int]) -> Sequence[int]:
        """Windows per scale of an image."""
        return self.sampler.counts(size_hw)

    def loss(
        self, inputs: Sequence[torch.Tensor] | BankWindows, data_samples: Sequence[DataSample]
    ) -> dict[str, torch.Tensor]:
        """Log-loss of the pooled scores of the images.

        Args:
            inputs: B images, uint8 (3, H, W) RGB, or the `BankWindows` of a bank.
            data_samples (list[DataSample]): With gt_label, gt_label_difficult (none if absent)
                and img_id (or img_path).

        Returns:
            dict: `loss`, a scalar.
        """
        key = self.random_key()
        ids = [sample_name(sample) for sample in data_samples]
        batch = key._replace(image_id='\0'.join(sorted(ids)))
        if isinstance(inputs, BankWindows):
            scores = self._bank_scores(inputs, data_samples, batch)
        else:
            scores = self._image_scores(inputs, ids, batch)
        return dict(loss=class_log_loss(scores, self.batch_labels(data_samples)))

    def _image_scores(
        self, images: Sequence[torch.Tensor], ids: Sequence[str], key: RandomKey
    ) -> torch.Tensor:
        """Pooled raw scores (B, K) of the windows of one random scale."""
        boxes = [
            self.sampler(tuple(image.shape[-2:]), training=True, key=key).boxes for image in images
        ]
        # An image is mirrored as a whole.
        flips = [
            np.full(
                len(mine),
                keyed_generator('flip', key.seed, key.epoch, name).random() < self.flip_prob,
            )
            for mine, name in zip(boxes, ids, strict=True)
        ]
        owners, features = [], []
        for b, _, part in self.encoder.iter_features(images, boxes, flips):
            owners.append(b)
            features.append(part)
        votes = self.voter.votes(torch.cat(features))
        owner = torch.from_numpy(np.concatenate(owners)).to(votes.device)
        return torch.stack([self.aggregator(votes[owner == b]) for b in range(len(images))])

    def _bank_scores(
        self, windows: BankWindows, samples: Sequence[DataSample], key: RandomKey
    ) -> torch.Tensor:
        """The same from a bank of the test's windows: one of its scales."""
        counts = [self.sampler.counts(sample.ori_shape) for sample in samples]
        if [len(bag) for bag in windows.features] != [sum(each) for each in counts]:
            raise InvalidValueError(
                "WeakPatchClassifier: a bank of other windows than the sampler's; it needs "
                'test_mode=True'
            )
        draw = keyed_generator('scale', *key).integers(min(map(len, counts)))
        pairs = zip(windows.features, counts, strict=True)
        parts = [bag.split(each)[draw] for bag, each in pairs]
        votes = self.voter.votes(torch.cat(parts).float()).split([len(part) for part in parts])
        return torch.stack([self.aggregator(mine) for mine in votes])
