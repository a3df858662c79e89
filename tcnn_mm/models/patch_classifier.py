"""The method as a classifier of pictures: patches in, votes out (paper, sec. 2–5)."""

import numpy as np
import torch
from mmengine.logging import print_log
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample

from tcnn_mm.checkpoints.pretrained import load_pretrained
from tcnn_mm.models.builders import build_context, build_sampler, expected_pixels
from tcnn_mm.models.encoder.frozen import FrozenCopy, run_layers
from tcnn_mm.models.encoder.patch_encoder import PatchFeatures
from tcnn_mm.models.freezing import (
    count_parameters,
    freeze,
    hold_eval,
    split_layers,
    zero_times_trainable,
)
from tcnn_mm.models.heads.adaptation_head import correct_and_seen, global_mean_loss
from tcnn_mm.models.image_mover import PictureMover
from tcnn_mm.models.samples import (
    is_features,
    keep_patches,
    object_flags,
    picture_labels,
    sample_name,
)
from tcnn_mm.patches.geometry import largest
from tcnn_mm.patches.sampler import RandomKey, keyed_generator
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class PatchClassifier(PatchFeatures, ImageClassifier):
    """Trains on labelled patches, tests by the votes of all patches of a picture.

    Inputs are whole pictures (uint8 CHW RGB, one tensor each, any sizes); patches are cut on
    the model's device. `sampler.labeler.num_classes` and `sampler.grid.size` may be left open:
    they follow the head and the backbone's preprocessing.

    Args:
        backbone (dict | nn.Module): TransferAlexNet, TorchvisionBackbone, any of mmpretrain's.
        neck (dict, optional): Between backbone and head, e.g. mmpretrain's pooling.
        head (dict): AdaptationHead.
        sampler (dict): PatchSampler (or ObjectSquareSampler).
        aggregator (dict, optional): Defaults to PowerMeanAggregator(k=5).
        context (dict, optional): ContextHead: the whole picture's own head, fused with the votes.
            Needs a wholly frozen backbone. Defaults to None, as in the paper.
        frozen (sequence[str]): Layer names or parameter prefixes, any subset; see `freezing`.
        preprocessing (dict, optional): `size` (S), `mean`, `std` (grey levels 0–255),
            `channel_order`; replaces entries of `backbone.preprocessing`.
        pretrained (str, optional): Weights of the backbone; must fill it completely.
        flip_prob (float): Of each training patch. Defaults to 0.5.
        chunk_size (int): Patches through the network at once; bounds the memory. In dense mode as
            many windows or pictures as need the same memory. Defaults to 64.
        frozen_dtype (str, optional): 'bfloat16' or 'float16' for the layers below the first
            trainable one, in training and test; a processor without instructions for it runs
            them in float32 and says so. Defaults to float32.
        compile_frozen (bool): Run them through `torch.compile`: pays in crop mode for networks
            of many small layers (see docs/performance.md). Defaults to False.
        feature_mode (str): 'crop': each patch is resized and passed by itself, as in the paper;
            'dense': the convolutions run once a scale and patches are windows of the map, an
            order of magnitude cheaper (see `models.dense`). The grid's `snap` follows the
            network's stride. Needs frozen convolutions.
        data_preprocessor (dict, optional): Moves data. Defaults to `PictureMover`.
    """

    def __init__(
        self,
        backbone,
        head,
        sampler,
        neck=None,
        aggregator=None,
        context=None,
        frozen=(),
        preprocessing=None,
        pretrained=None,
        flip_prob=0.5,
        chunk_size=64,
        frozen_dtype=None,
        compile_frozen=False,
        feature_mode='crop',
        data_preprocessor=None,
        train_cfg=None,
        init_cfg=None,
    ):
        # As a module: from a dict, mmpretrain's classifier would add keys of its own stacker.
        mover = data_preprocessor or PictureMover()
        super().__init__(
            backbone=backbone,
            neck=neck,
            head=head,
            train_cfg=train_cfg,
            data_preprocessor=MODELS.build(mover) if isinstance(mover, dict) else mover,
            init_cfg=init_cfg,
        )
        self.preprocessing = expected_pixels(self.backbone, preprocessing)
        self._frozen_modules = freeze(self, frozen)
        self._below, self._above = split_layers(self.backbone)
        self.feature_mode = feature_mode
        self.map_stride, self.map_side = self._prepare_dense()
        size, classes = self.preprocessing['size'], self.head.num_classes
        dense = feature_mode == 'dense'
        self.sampler = build_sampler(sampler, size, classes, self.map_stride, dense)
        self.aggregator = MODELS.build(aggregator or dict(type='tcnn_mm.PowerMeanAggregator'))
        self.context = build_context(context, self.head, self._above)
        self.pretrained, self.flip_prob = pretrained, flip_prob
        self.chunk_size = chunk_size
        self._frozen_copy = FrozenCopy(
            self.backbone,
            self._below,
            getattr(torch, frozen_dtype) if frozen_dtype else None,
            compile_frozen,
            size,
        )
        self.frozen_dtype = self._frozen_copy.dtype
        for name in ('mean', 'std'):
            value = torch.tensor(self.preprocessing[name], dtype=torch.float32).view(3, 1, 1)
            self.register_buffer(f'_{name}', value, persistent=False)
        # Twice as fast on a CPU, no slower on a GPU; patches are cut in this layout.
        self.backbone.to(memory_format=torch.channels_last)
        # Hooks that draw maps or write patch scores ask for them.
        self.keep_patch_scores = False
        # Called at each chunk with its number of patches and that of the whole batch.
        self.on_patches = None
        self.key = None
        self.statistics = None

    def init_weights(self):
        super().init_weights()
        if self.pretrained:
            load_pretrained(self, self.pretrained)
        print_log(
            'frozen {:,} / trainable {:,} parameters'.format(*count_parameters(self)), 'current'
        )

    def _dump_init_info(self):
        """mmengine would log four lines a tensor; `init_weights` says what matters in two."""

    def train(self, mode=True):
        super().train(mode)
        hold_eval(getattr(self, '_frozen_modules', ()))
        return self

    def set_epoch(self, seed, epoch):
        """Fix this epoch's randomness and forget the last one's statistics (`EpochSeedHook`)."""
        self.key = RandomKey(seed, epoch)
        self.statistics = None

    def _head_inputs(self, features):
        """The backbone from its first trainable layer on, as the head takes it."""
        if self._above:
            features = self._pool(run_layers(self.backbone, features, self._above))
        return (features,)

    def patch_logits(self, features):
        """From the first trainable layer on: features of :meth:`frozen_features` → (P, K+1)."""
        return self.head(self._head_inputs(features))

    def forward(self, inputs, data_samples=None, mode='tensor', context=None):
        """mode 'tensor': (P, 3, S, S) normalised patches → (P, K+1) logits; else pictures.

        `context` comes with the patches of a `FeatureBank`: mean features (B, D) of the largest
        windows of their pictures, and these pictures' labels (B, K).
        """
        if mode == 'tensor':
            return self.patch_logits(self.frozen_features(inputs))
        if mode == 'loss':
            losses = self.loss(inputs, data_samples)
            if self.context is not None:
                if context is None:
                    context = self._whole_pictures(inputs, data_samples)
                features, labels = map(torch.cat, context)
                losses['loss_context'] = self.context.picture_loss(features, labels)
            return losses
        return super().forward(inputs, data_samples, mode)

    def extract_feat(self, inputs, stage='neck'):
        """Features of ready patches (P, 3, S, S), as in mmpretrain."""
        x = self.backbone(inputs)
        if stage == 'backbone':
            return x
        x = self.neck(x) if self.with_neck else x
        return x if stage == 'neck' else self.head.pre_logits(x)

    def loss(self, inputs, data_samples):
        """Cross-entropy over the sampled patches of all pictures of all processes.

        Args:
            inputs (list[Tensor]): B pictures, uint8 (3, H, W) RGB; or ready features (P, D) of a
                `FeatureBank`, with labels (P,) in place of samples.
            data_samples (list[DataSample]): With gt_bboxes (N, 4), gt_bboxes_labels (N,),
                gt_bboxes_difficult (N,) and img_id.

        Returns:
            dict: `loss`, a scalar.
        """
        self._need_key()
        if is_features(inputs):
            labels = torch.cat(list(data_samples)).to(self._mean.device)
            return self._loss(torch.cat(list(inputs)).float(), labels)
        drawn = [
            self.sample_patches(image, sample, training=True)
            for image, sample in zip(inputs, data_samples, strict=True)
        ]
        if not sum(len(patches.xyxy) for patches in drawn):
            global_mean_loss(self._mean.new_zeros(0, 1), self._mean.new_zeros(0).long())
            return dict(loss=zero_times_trainable(self))
        flips = [
            keyed_generator('flip', *self.key[:2], sample_name(sample)).random(len(patches.xyxy))
            < self.flip_prob
            for patches, sample in zip(drawn, data_samples, strict=True)
        ]
        features, labels = [], []
        for b, index, part in self.iter_features(inputs, [p.xyxy for p in drawn], flips):
            features.append(part)
            labels += [drawn[i].label[j] for i, j in zip(b, index, strict=True)]
        return self._loss(torch.cat(features), torch.tensor(labels, device=self._mean.device))

    def _whole_pictures(self, images, samples):
        """What the context is trained on, as lists of one: features (B, D), labels (B, K)."""
        if is_features(images):
            raise ValueError('context: give the FeatureBank of the training data context=True')
        return [self.whole_features(images)], [self.picture_labels(samples)]

    def picture_labels(self, samples):
        """Labels (B, K) of :func:`picture_labels`, on the model's device."""
        return picture_labels(samples, self.head.num_classes).to(self._mean.device)

    def _need_key(self):
        if self.key is None:
            raise RuntimeError(
                f'{type(self).__name__} draws patches by (seed, epoch, image id): add '
                "dict(type='tcnn_mm.EpochSeedHook') to custom_hooks, or call set_epoch"
            )

    def _loss(self, features, labels):
        logits = self.patch_logits(features)
        # K+1 rows also where the head has no background: the last then stays 0.
        counts = correct_and_seen(logits.detach(), labels, self.head.num_classes + 1)
        self.statistics = counts if self.statistics is None else self.statistics + counts
        return dict(loss=global_mean_loss(logits, labels))

    def sample_patches(self, image, sample, training):
        """The sampler's choice for one picture (3, H, W)."""
        size_hw, flags = tuple(image.shape[-2:]), object_flags(sample)
        if not training:
            return self.sampler(size_hw, None, None, flags, training=False, key=RandomKey())
        boxes, labels = sample.gt_bboxes.cpu().numpy(), sample.gt_bboxes_labels.cpu().numpy()
        key = self.key._replace(image_id=sample_name(sample))
        return self.sampler(size_hw, boxes, labels, flags, training=True, key=key)

    def predict(self, inputs, data_samples=None, **kwargs):
        """Votes of all patches of each picture; annotations are not read.

        Returns:
            list[DataSample]: With `pred_score` (K,) float32; with `keep_patch_scores` also
            `patch_boxes` (P, 4) and `patch_scores` (P, K), on the model's device.
        """
        if data_samples is None:
            data_samples = [DataSample() for _ in inputs]
        if is_features(inputs):
            boxes = [sample.bank_boxes.cpu().numpy() for sample in data_samples]
            voted = [self.votes(features.float()) for features in inputs]
            if self.on_patches:
                self.on_patches(*[sum(map(len, inputs))] * 2)
        else:
            boxes = [
                self.sample_patches(image, sample, training=False).xyxy
                for image, sample in zip(inputs, data_samples, strict=True)
            ]
            voted = self.score_patches(inputs, boxes)
        results = [self.aggregator(scores) for scores in voted]
        if self.context is not None:
            results = self._with_context(results, inputs, boxes)
        for sample, mine, scores, result in zip(data_samples, boxes, voted, results, strict=True):
            sample.set_pred_score(result)
            if self.keep_patch_scores:
                keep_patches(sample, mine, scores)
        return data_samples

    def _with_context(self, votes, inputs, boxes):
        """Votes (K,) of each picture fused with its whole-picture scores."""
        if is_features(inputs):
            pairs = zip(inputs, boxes, strict=True)
            whole = [features.float()[largest(mine)].mean(0) for features, mine in pairs]
        else:
            whole = self.whole_features(inputs)
        k = getattr(self.aggregator, 'k', 1)
        return [self.context.fuse(v, one, k) for v, one in zip(votes, whole, strict=True)]

    def votes(self, features):
        """What patches vote with: features → (p, K) softmax scores, float32."""
        return self.head.scores(self._head_inputs(features))

    def score_patches(self, images, boxes):
        """Votes of boxes of pictures: B × (3, H, W), B × (P, 4) → B × (P, K) float32."""
        num = self.head.num_classes
        scores = [self._mean.new_empty(len(mine), num) for mine in boxes]
        for b, index, features in self.iter_features(images, boxes):
            part = self.votes(features)
            for i in np.unique(b):
                scores[i][index[b == i]] = part[b == i]
        return scores
