"""Frozen features in, votes of patches and scores of images out.

Letters: B images, P patches, K classes, D channels.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.frozen import run_layers
from tcnn_mm.models.encoder.patch_encoder import Chunk
from tcnn_mm.models.shape_errors import shape_errors
from tcnn_mm.patches.geometry import largest

Aggregator = Callable[[torch.Tensor], torch.Tensor]


class PatchVoter:
    """The trainable side of a `PatchClassifier`: softmax votes, aggregated per image.

    A plain object, given the modules of the model.

    Args:
        backbone (nn.Module): Its trainable layers run here.
        pool (callable): A feature of the backbone → what the head takes.
        layers_above (list[str]): Layers from the first trainable one on.
        head (nn.Module): AdaptationHead.
        aggregator (callable): (P, K) → (K,).
        context (nn.Module, optional): ContextHead, fused with the votes.

    Attributes:
        independent (bool): Whether the scores of the classes are independent probabilities
            (sigmoids), not shares of one softmax.
    """

    independent = False

    def __init__(
        self,
        backbone: nn.Module,
        pool: Callable[[torch.Tensor], torch.Tensor],
        layers_above: list[str],
        head: Any,
        aggregator: Aggregator,
        context: Any = None,
    ) -> None:
        self.backbone, self.pool, self.layers_above = backbone, pool, layers_above
        self.head, self.aggregator, self.context = head, aggregator, context

    def _head_inputs(self, features: torch.Tensor) -> tuple[torch.Tensor]:
        if self.layers_above:
            with shape_errors(
                f'{type(self.backbone).__name__}: sizes of its layers do not fit',
                'set model.preprocessing.size, or the sizes of model.backbone and model.neck',
            ):
                features = self.pool(run_layers(self.backbone, features, self.layers_above))
        width = features.shape[1:].numel()
        if width != self.head.in_channels:
            raise InvalidValueError(
                f'the network gives {width} features per patch, but model.head.in_channels='
                f'{self.head.in_channels}; set model.head.in_channels={width}'
            )
        return (features,)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Frozen features (P, …) → logits (P, K+1), background last."""
        return self.head(self._head_inputs(features))

    def own_loss(self, features: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Losses by the head's own `loss`, of the patches that have a label.

        Args:
            features: (P, …), frozen.
            labels: (P,) int64; -1 is left out, so at least one is another.
        """
        used = labels >= 0
        samples = [DataSample().set_gt_label(label) for label in labels[used]]
        return self.head.loss(self._head_inputs(features[used]), samples)

    def votes(self, features: torch.Tensor) -> torch.Tensor:
        """Frozen features (P, …) → softmax scores of the object classes (P, K) float32."""
        return self.head.scores(self._head_inputs(features))

    def collect(
        self, chunks: Iterable[Chunk], boxes: Sequence[np.ndarray], whole: bool = False
    ) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
        """Votes of the patches of images, and what the context reads, from one pass.

        Args:
            chunks: Of features, as `PatchEncoder.iter_features` yields them.
            boxes: B × (P, 4) xyxy of the patches.
            whole: Give the mean features also without a context.

        Returns:
            B × votes (P, K) float32, and B × mean feature (D,) of the largest patches; None
            where neither the context nor `whole` asks for it.
        """
        device = next(self.head.parameters()).device
        votes = [torch.empty(len(mine), self.head.num_classes, device=device) for mine in boxes]
        wholes: list[Any] = [None] * len(boxes)
        whole = whole or self.context is not None
        masks = [largest(mine) for mine in boxes] if whole else []
        for b, index, features in chunks:
            part = self.votes(features)
            for i in np.unique(b):
                rows = np.flatnonzero(b == i)
                votes[i][index[rows]] = part[rows]
                if whole and (large := rows[masks[i][index[rows]]]).size:
                    share = features[large].sum(0) / masks[i].sum()
                    wholes[i] = share if wholes[i] is None else wholes[i] + share
        return votes, wholes

    def patch_scores(self, votes: torch.Tensor) -> torch.Tensor:
        """Votes as scores in [0, 1] that maps and metrics read: (P, K)."""
        return votes

    def image_score(
        self,
        votes: torch.Tensor,
        counts: Sequence[int] = (),
        whole: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Score of one image from the votes of its patches (paper, sec. 5).

        Args:
            votes: (P, K).
            counts: Patches per scale, which this voter does not use.
            whole: Mean feature (D,) of the largest patches, for the context.

        Returns:
            (K,) float32.
        """
        score = self.aggregator(votes)
        if self.context is None:
            return score
        if whole is None:
            raise InvalidValueError(
                'image_score: this model has a context; give the feature `whole`'
            )
        return self.context.fuse(score, whole, getattr(self.aggregator, 'k', 1))


class WindowVoter(PatchVoter):
    """Raw scores, pooled per scale: the voter of training on image labels."""

    independent = True

    def votes(self, features: torch.Tensor) -> torch.Tensor:
        """Frozen features (P, …) → raw scores (P, K) float32."""
        return self.logits(features).float()

    def patch_scores(self, votes: torch.Tensor) -> torch.Tensor:
        """Raw scores as independent probabilities: (P, K)."""
        return votes.sigmoid()

    def image_score(
        self,
        votes: torch.Tensor,
        counts: Sequence[int] = (),
        whole: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Pool each scale, take the mean over scales and its sigmoid.

        Args:
            votes: (P, K) raw scores.
            counts: Patches per scale, in order.
            whole: Not used.

        Returns:
            (K,) float64: near 1, float32 would make ties.
        """
        scales = votes.split(list(counts))
        pooled = torch.stack([self.aggregator(scale) for scale in scales]).mean(0)
        return pooled.double().sigmoid()
