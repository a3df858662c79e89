"""A head on the whole image, fused with the votes of the patches (not in the paper).

Votes are best on small objects; a whole image is better where one object fills the frame.
"""

from typing import Any

import torch

from tcnn_mm.models.heads.adaptation_head import AdaptationHead, class_log_loss
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class ContextHead(AdaptationHead):
    """FCa and FCb on the mean feature of the largest patches of an image; one sigmoid per class.

    Trained beside the head of the patches, on image labels: one log-loss per class, classes with
    difficult objects only left out. At test the log-odds of both are added.

    Args:
        weight (float): Of the context's log-odds. Chosen on VOC2007 train → val with MobileNetV2
            for votes of k = 5 (0.05 … 1.2 tried; 0.2 for the best patch's). Defaults to 0.15.
        **kwargs: As for `AdaptationHead`; `num_classes`, `in_channels` and `feature_scale` follow
            the patches' head where left open.

    Shapes: features (B, D) → logits (B, K).
    """

    def __init__(self, weight: float = 0.15, **kwargs: Any) -> None:
        super().__init__(background=False, **kwargs)
        self.weight = weight

    def image_loss(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Log-loss of all classes, summed, averaged over the images of all processes.

        Args:
            features (Tensor): (B, D).
            labels (Tensor): (B, K) of {1, 0, -1} as in the devkit's files; 0 is left out.
        """
        with torch.autocast(features.device.type, enabled=False):
            logits = self((features.float(),))
        return class_log_loss(logits, labels)

    def fuse(self, votes: torch.Tensor, features: torch.Tensor, k: float = 1) -> torch.Tensor:
        """Add the log-odds of the votes' k-th root and of the whole image.

        Args:
            votes (Tensor): (K,) aggregated scores in [0, 1].
            features (Tensor): (D,) mean feature of the largest patches.
            k (float): The power that the aggregator took. Defaults to 1.

        Returns:
            Tensor: (K,) float32 in [0, 1].
        """
        root = votes.double().clamp(min=1e-38) ** (1 / k)
        odds = torch.logit(root, eps=1e-9) + self.weight * self((features[None],))[0].double()
        return odds.sigmoid().float()
