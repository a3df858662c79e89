"""The method as an image classifier: patches in, votes out (paper, sec. 2–5)."""

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.errors import InvalidValueError, errors_of
from tcnn_mm.models.builders import has_own_loss
from tcnn_mm.models.freezing import zero_times_trainable
from tcnn_mm.models.heads.adaptation_head import correct_and_seen, global_mean_loss
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.models.samples import object_flags, sample_name
from tcnn_mm.patches.bank_batch import BankPatches, BankWindows
from tcnn_mm.patches.sampler import Patches, RandomKey, keyed_generator
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class PatchClassifier(PatchModel):
    """Trains on labelled patches, tests by the votes of all patches of an image.

    Inputs are whole images (uint8 CHW RGB, one tensor each, any sizes); patches are cut on the
    model's device. `sampler.labeler.num_classes` and `sampler.grid.size` may be left open: they
    follow the head and the preprocessing of the backbone.

    Args:
        backbone (dict | nn.Module): TransferAlexNet, TorchvisionBackbone, any of mmpretrain's.
        neck (dict, optional): Between backbone and head, e.g. mmpretrain's pooling.
        head (dict): AdaptationHead, or a class derived from it. One with a `loss` of its own is
            trained by that: it is given the features of the labelled patches and one sample per
            patch; its mean is that of each process.
        sampler (dict): PatchSampler (or ObjectSquareSampler).
        aggregator (dict, optional): Defaults to PowerMeanAggregator(k=5).
        context (dict, optional): ContextHead: a head on the whole image, fused with the votes.
            Needs a wholly frozen backbone. Defaults to None, as in the paper.
        frozen (sequence[str]): Layer names or parameter prefixes, any subset; see `freezing`.
        preprocessing (dict, optional): `size` (S), `mean`, `std` (grey levels 0–255),
            `channel_order`; replaces entries of `backbone.preprocessing`.
        pretrained (str, optional): Weights of the backbone; must fill it completely.
        flip_prob (float): Of each training patch. Defaults to 0.5.
        chunk_size (int): Patches in one pass of the network; bounds the memory. In dense mode as
            many windows or images as need the same memory. Defaults to 64.
        frozen_dtype (str, optional): 'bfloat16' or 'float16' for the layers below the first
            trainable one, in training and test; a processor without instructions for it runs
            them in float32 and logs that. Defaults to float32.
        compile_frozen (bool): Run them through `torch.compile`: pays in crop mode for networks
            of many small layers (see docs/performance.md). Defaults to False.
        feature_mode (str): 'crop': each patch is resized and passed by itself, as in the paper;
            'dense': the convolutions run once per scale and patches are windows of the map, an
            order of magnitude cheaper (see `models.encoder.dense`). The grid's `snap` follows the
            stride of the network. Needs frozen convolutions. Defaults to 'crop'.
        dense_tile (int, optional): For networks with operations on the whole image (vision
            transformers) in dense mode: the side in pixels of the tiles in which a resized image
            passes the network; S keeps its position embeddings (see `models.encoder.tiles`).
            Defaults to None: a resized image passes as a whole.
        dense_scales (sequence[float], optional): λ of the maps of dense mode: a patch is read from
            the map of its own λ or of the next smaller one, where it covers fewer cells (see
            `models.encoder.shared_maps`). Defaults to None: one map for each λ of the grid.
        data_preprocessor (dict, optional): Moves data. Defaults to `ImageMover`.
    """

    def sample_patches(self, image: torch.Tensor, sample: DataSample, training: bool) -> Patches:
        """Draw the patches of one image (3, H, W); at test the whole grid."""
        size_hw, flags = tuple(image.shape[-2:]), object_flags(sample)
        if not training:
            return self.sampler(size_hw, None, None, flags, training=False, key=RandomKey())
        boxes, labels = sample.gt_bboxes.cpu().numpy(), sample.gt_bboxes_labels.cpu().numpy()
        key = self.random_key()._replace(image_id=sample_name(sample))
        with errors_of(key.image_id):
            return self.sampler(size_hw, boxes, labels, flags, training=True, key=key)

    def test_patches(self, image: torch.Tensor, sample: DataSample) -> Patches:
        """The whole grid, or the square of a person's box."""
        return self.sample_patches(image, sample, training=False)

    def loss(
        self,
        inputs: Sequence[torch.Tensor] | BankPatches,
        data_samples: Sequence[DataSample] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Cross-entropy over the sampled patches of all images of all processes.

        Args:
            inputs: B images, uint8 (3, H, W) RGB, or `BankPatches`, which bring their labels.
            data_samples (list[DataSample]): With gt_bboxes (N, 4), gt_bboxes_labels (N,),
                gt_bboxes_difficult (N,) and img_id; not needed by a bank.

        Returns:
            dict: `loss`, a scalar; with a context also `loss_context`.
        """
        self.random_key()
        if isinstance(inputs, BankPatches):
            features = torch.cat(list(inputs.features)).float()
            losses = self._patch_loss(features, torch.cat(list(inputs.labels)).to(self.device))
            if self.context is not None:
                losses['loss_context'] = self._bank_context_loss(inputs)
            return losses
        if isinstance(inputs, BankWindows) or data_samples is None:
            raise InvalidValueError(
                'PatchClassifier: train on images, or on a bank of sampled patches'
            )
        losses = self._image_loss(inputs, data_samples)
        if self.context is not None:
            labels = self.batch_labels(data_samples)
            losses['loss_context'] = self.context.image_loss(self.whole_features(inputs), labels)
        return losses

    def _image_loss(
        self, images: Sequence[torch.Tensor], samples: Sequence[DataSample]
    ) -> dict[str, torch.Tensor]:
        drawn = [
            self.sample_patches(image, sample, training=True)
            for image, sample in zip(images, samples, strict=True)
        ]
        device = self.device
        if not sum(len(patches.xyxy) for patches in drawn):
            # The other processes count this one's patches too.
            none = torch.zeros(0, dtype=torch.int64, device=device)
            global_mean_loss(torch.zeros(0, 1, device=device), none)
            return dict(loss=zero_times_trainable(self))
        seed, epoch, _ = self.random_key()
        flips = [
            keyed_generator('flip', seed, epoch, sample_name(sample)).random(len(patches.xyxy))
            < self.flip_prob
            for patches, sample in zip(drawn, samples, strict=True)
        ]
        features, labels = [], []
        boxes = [patches.boxes for patches in drawn]
        for b, index, part in self.encoder.iter_features(images, boxes, flips):
            features.append(part)
            labels += [drawn[i].label[j] for i, j in zip(b, index, strict=True)]
        return self._patch_loss(torch.cat(features), torch.tensor(np.array(labels), device=device))

    def _bank_context_loss(self, inputs: BankPatches) -> torch.Tensor:
        if any(part is None for part in inputs.whole):
            raise InvalidValueError(
                'context: give the FeatureBank of the training data context=True'
            )
        return self.context.image_loss(torch.cat(inputs.whole), torch.cat(inputs.image_labels))

    def _patch_loss(self, features: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        own = has_own_loss(self.head)
        with torch.no_grad() if own else nullcontext():
            logits = self.voter.logits(features)
        # K+1 rows also where the head has no background: the last then stays 0.
        counts = correct_and_seen(logits.detach(), labels, self.head.num_classes + 1)
        self.statistics = counts if self.statistics is None else self.statistics + counts
        if not own:
            return dict(loss=global_mean_loss(logits, labels))
        if not bool((labels >= 0).any()):
            return dict(loss=zero_times_trainable(self))
        return self.voter.own_loss(features, labels)
