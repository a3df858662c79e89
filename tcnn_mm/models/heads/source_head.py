"""FC8 of a source network (Krizhevsky et al. 2012; paper, sec. 1)."""

from typing import Any

import torch
from mmpretrain.models.heads import LinearClsHead
from torch import nn

from tcnn_mm.registry import MODELS


@MODELS.register_module()
class DropoutLinearClsHead(LinearClsHead):
    """mmpretrain's linear head with dropout on its input, Y7.

    Args:
        dropout (float): Defaults to 0.5.
        loss (dict, optional): Defaults to mmpretrain's cross-entropy.
        **kwargs: Of `LinearClsHead`: num_classes, in_channels, topk.
    """

    def __init__(
        self, *args: Any, dropout: float = 0.5, loss: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, loss=loss or dict(type='mmpretrain.CrossEntropyLoss'), **kwargs)
        self.drop = nn.Dropout(dropout)

    def pre_logits(self, feats: tuple[torch.Tensor]) -> torch.Tensor:
        """The last feature (B, D) after dropout."""
        return self.drop(super().pre_logits(feats))
