"""What training on patches and training on image labels share: composition, freezing, voting.

Letters: B images, P patches, K classes, D channels, (H, W) pixels of an image.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import nn

from tcnn_mm.checkpoints.pretrained import load_pretrained
from tcnn_mm.errors import InvalidValueError, UserError, errors_of
from tcnn_mm.models import builders
from tcnn_mm.models.encoder.patch_encoder import Chunk, OnPatches, PatchEncoder
from tcnn_mm.models.freezing import count_parameters, freeze, hold_eval
from tcnn_mm.models.image_mover import ImageMover
from tcnn_mm.models.patch_voter import PatchVoter
from tcnn_mm.models.samples import batch_labels, refuse_not_finite, sample_name, set_patches
from tcnn_mm.patches.bank_batch import BankPatches, BankWindows
from tcnn_mm.patches.geometry import largest
from tcnn_mm.patches.sampler import Patches, RandomKey
from tcnn_mm.patches.windows import Boxes, GridWindows
from tcnn_mm.registry import MODELS

# Images (3, H, W) uint8 RGB of any sizes, or what a feature bank gives in their place.
Inputs = Sequence[torch.Tensor] | BankPatches | BankWindows


def bank_chunks(windows: BankWindows, on_patches: OnPatches | None = None) -> Iterator[Chunk]:
    """Features of a bank as the encoder would yield them, an image at a time."""
    total = sum(map(len, windows.features))
    for i, features in enumerate(windows.features):
        yield np.full(len(features), i), np.arange(len(features)), features.float()
        if on_patches:
            on_patches(len(features), total)


class PatchModel(ImageClassifier):
    """Composes a sampler, a :class:`PatchEncoder` and a :class:`PatchVoter`.

    The base of `PatchClassifier` and `WeakPatchClassifier`, which add their loss. The modules
    `backbone`, `neck`, `head` and `context` belong to this class, so that state-dict keys are
    those of mmpretrain. Arguments: see :class:`PatchClassifier`.

    Attributes:
        encoder (PatchEncoder): Boxes of images → features below the first trainable layer.
        voter (PatchVoter): Features → votes of patches → scores of images.
        statistics (Tensor | None): Of this epoch's training patches, for `PatchReportHook`.
    """

    voter_type: type[PatchVoter] = PatchVoter
    default_aggregator = 'tcnn_mm.PowerMeanAggregator'

    def __init__(
        self,
        backbone: dict | nn.Module,
        head: dict | nn.Module,
        sampler: Any,
        neck: dict | nn.Module | None = None,
        aggregator: dict | None = None,
        context: dict | None = None,
        frozen: Sequence[str] = (),
        preprocessing: dict | None = None,
        pretrained: str | None = None,
        flip_prob: float = 0.5,
        chunk_size: int = 64,
        frozen_dtype: str | None = None,
        compile_frozen: bool = False,
        feature_mode: str = 'crop',
        dense_tile: int | None = None,
        dense_scales: Sequence[float] | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        train_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        builders.check_options(type(self).__name__, frozen, chunk_size, flip_prob, frozen_dtype)
        # As a module: from a dict, mmpretrain's classifier would add keys of its own stacker.
        mover = data_preprocessor or ImageMover()
        super().__init__(
            backbone=backbone,
            neck=neck,
            head=head,
            train_cfg=train_cfg,
            data_preprocessor=MODELS.build(mover) if isinstance(mover, dict) else mover,
            init_cfg=init_cfg,
        )
        builders.check_head(self.head, type(self).__name__)
        self.preprocessing = builders.expected_pixels(self.backbone, preprocessing)
        self._frozen_modules = freeze(self, frozen)
        self.encoder = PatchEncoder(
            self.backbone,
            self.neck if self.with_neck else None,
            self.preprocessing,
            feature_mode,
            chunk_size,
            getattr(torch, frozen_dtype) if frozen_dtype else None,
            compile_frozen,
            dense_tile,
            dense_scales,
        )
        self.sampler = builders.build_sampler(
            sampler,
            self.preprocessing['size'],
            self.head.num_classes,
            self.encoder.map_stride,
            feature_mode == 'dense',
        )
        self.aggregator = MODELS.build(aggregator or dict(type=self.default_aggregator))
        self.context = builders.build_context(context, self.head, self.encoder.layers_above)
        self.voter = self.voter_type(
            self.backbone,
            self.encoder.pool,
            self.encoder.layers_above,
            self.head,
            self.aggregator,
            self.context,
        )
        self.pretrained, self.flip_prob = pretrained, flip_prob
        # Twice as fast on a CPU, no slower on a GPU; patches are cut in this layout.
        self.backbone.to(memory_format=torch.channels_last)
        self.key: RandomKey | None = None
        self.statistics: torch.Tensor | None = None
        self._test_options: dict[str, Any] = dict(return_patches=False, on_patches=None)

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    @property
    def feature_mode(self) -> str:
        """'crop' or 'dense'."""
        return self.encoder.feature_mode

    @property
    def frozen_dtype(self) -> torch.dtype:
        """The dtype asked for the frozen layers."""
        return self.encoder.dtype

    def init_weights(self) -> None:
        """Initialise the trainable layers and load `pretrained`."""
        super().init_weights()
        if self.pretrained:
            load_pretrained(self, self.pretrained)
        print_log(
            'frozen {:,} / trainable {:,} parameters'.format(*count_parameters(self)), 'current'
        )

    def _dump_init_info(self) -> None:
        """Skip mmengine's four lines per tensor; `init_weights` logs two lines."""

    def train(self, mode: bool = True) -> 'PatchModel':
        """Set the mode of what trains; frozen modules stay in eval mode."""
        super().train(mode)
        hold_eval(getattr(self, '_frozen_modules', ()))
        return self

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Fix the randomness of an epoch and reset its statistics (`EpochSeedHook`)."""
        self.key = RandomKey(seed, epoch)
        self.statistics = None

    def set_test_options(self, **options: Any) -> None:
        """Set what `test_step` and `val_step` ask of :meth:`predict`, until set again.

        Args:
            return_patches (bool): Add patch boxes and scores to the samples.
            on_patches (callable | None): Called after each chunk, see :class:`PatchEncoder`.

        Raises:
            InvalidValueError: An unknown option.
        """
        unknown = sorted(options.keys() - self._test_options.keys())
        if unknown:
            raise InvalidValueError(f'unknown {unknown}; choose from {[*self._test_options]}')
        self._test_options.update(options)

    def random_key(self) -> RandomKey:
        """The key of this epoch's randomness.

        Raises:
            UserError: :meth:`set_epoch` was not called.
        """
        if self.key is None:
            raise UserError(
                f'{type(self).__name__} draws patches by (seed, epoch, image id): add '
                "dict(type='tcnn_mm.EpochSeedHook') to custom_hooks, or call set_epoch"
            )
        return self.key

    def forward(
        self,
        inputs: Any,
        data_samples: Sequence[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run one of mmengine's modes.

        Args:
            inputs: mode 'tensor': normalised patches (P, 3, S, S), else :data:`Inputs`.
            data_samples (list[DataSample], optional): B samples.
            mode (str): 'tensor' gives logits (P, K+1), 'loss' a dict of losses, 'predict' the
                samples with scores.
        """
        if mode == 'tensor':
            return self.voter.logits(self.encoder.encode_patches(inputs))
        if mode == 'predict':
            return self.predict(inputs, data_samples, **self._test_options)
        return super().forward(inputs, data_samples, mode)

    def extract_feat(self, inputs: torch.Tensor, stage: str = 'neck') -> Any:
        """Features of ready patches (P, 3, S, S), as in mmpretrain."""
        x = self.backbone(inputs)
        if stage == 'backbone':
            return x
        x = self.neck(x) if self.with_neck else x
        return x if stage == 'neck' else self.head.pre_logits(x)

    def whole_features(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mean feature of the largest patches of each image: B × (3, H, W) uint8 → (B, D)."""
        grids = [self.sampler.grid(tuple(image.shape[-2:])) for image in images]
        return self.encoder.whole_features(images, [grid[largest(grid.xyxy)] for grid in grids])

    def batch_labels(self, samples: Sequence[DataSample]) -> torch.Tensor:
        """Labels (B, K) in {1, 0, -1} of the images, on the model's device."""
        return batch_labels(samples, self.head.num_classes).to(self.device)

    def test_patches(self, image: torch.Tensor, sample: DataSample) -> Patches:
        """Patches that are scored at test; annotations are not read."""
        raise NotImplementedError

    def scale_counts(self, size_hw: tuple[int, int]) -> Sequence[int]:
        """Patches per scale of an image, for a voter that pools each scale."""
        return ()

    def score_patches(
        self,
        images: Sequence[torch.Tensor],
        boxes: Sequence[Boxes],
        on_patches: OnPatches | None = None,
    ) -> list[torch.Tensor]:
        """Votes of patches of images: B × (3, H, W), B × P → B × (P, K) float32."""
        xyxy = [mine.xyxy if isinstance(mine, GridWindows) else mine for mine in boxes]
        chunks = self.encoder.iter_features(images, boxes, on_patches=on_patches)
        return self.voter.collect(chunks, xyxy)[0]

    def predict(
        self,
        inputs: Sequence[torch.Tensor] | BankWindows,
        data_samples: Sequence[DataSample] | None = None,
        return_patches: bool = False,
        on_patches: OnPatches | None = None,
        return_features: bool = False,
    ) -> list[DataSample]:
        """Score images by the votes of all their patches; annotations are not read.

        Args:
            inputs: B images, or the `BankWindows` of a feature bank.
            data_samples (list[DataSample], optional): B samples; new ones by default.
            return_patches (bool): Add `patch_boxes` (P, 4) and `patch_scores` (P, K) to the
                samples, on the model's device. Defaults to False.
            on_patches (callable, optional): Called after each chunk.
            return_features (bool): Add `whole_feature` (D,), the mean of the largest patches.

        Returns:
            list[DataSample]: With `pred_score` (K,).

        Raises:
            NotFiniteError: A score is NaN or infinite; names the image.
        """
        number = len(inputs.features if isinstance(inputs, BankWindows) else inputs)
        samples = list(data_samples or [DataSample() for _ in range(number)])
        if isinstance(inputs, BankWindows):
            sizes = [sample.get('ori_shape') for sample in samples]
            boxes, chunks = list(inputs.boxes), bank_chunks(inputs, on_patches)
        else:
            sizes = [tuple(image.shape[-2:]) for image in inputs]
            patches = []
            for image, sample in zip(inputs, samples, strict=True):
                with errors_of(sample_name(sample)):
                    patches.append(self.test_patches(image, sample))
            boxes = [mine.xyxy for mine in patches]
            chunks = self.encoder.iter_features(
                inputs, [mine.boxes for mine in patches], on_patches=on_patches
            )
        votes, whole = self.voter.collect(chunks, boxes, return_features)
        for i, sample in enumerate(samples):
            score = self.voter.image_score(votes[i], self.scale_counts(sizes[i]), whole[i])
            refuse_not_finite(sample, votes[i], score)
            sample.set_pred_score(score)
            if return_patches:
                set_patches(sample, boxes[i], self.voter.patch_scores(votes[i]))
            if return_features:
                sample.set_field(whole[i], 'whole_feature', dtype=None)
        return samples
