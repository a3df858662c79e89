"""FCa and FCb, the two layers that the method trains (paper, sec. 2)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import nn

from tcnn_mm.registry import MODELS

# The output of a backbone: a tuple of stages, or the last stage alone.
Features = Sequence[torch.Tensor] | torch.Tensor


def global_mean(total: torch.Tensor, count: int | torch.Tensor) -> torch.Tensor:
    """Scale the sum of a process so that DDP's mean over processes is the mean over all items.

    Args:
        total (Tensor): Scalar, the sum over the items of this process.
        count (int | Tensor): Number of these items; every process takes part, also with 0.

    Returns:
        Tensor: Scalar: local sum × processes / count of all processes.
    """
    counted = torch.as_tensor(count, dtype=torch.float32, device=total.device)
    all_reduce(counted)
    return total * get_world_size() / counted.clamp(min=1)


def global_mean_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy whose DDP mean over processes is the mean over all patches.

    Args:
        logits (Tensor): (P, K+1).
        labels (Tensor): (P,) int64; -1 is left out.

    Returns:
        Tensor: Scalar, see :func:`global_mean`.
    """
    with torch.autocast(logits.device.type, enabled=False):
        total = F.cross_entropy(logits.float(), labels, ignore_index=-1, reduction='sum')
    return global_mean(total, (labels >= 0).sum())


def class_log_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """One log-loss per class, Σ log(1 + exp(-y f)), whose DDP mean is the mean over all images.

    Args:
        logits (Tensor): (B, K) raw scores f of images.
        labels (Tensor): (B, K) y of {1, -1}; 0 is left out.

    Returns:
        Tensor: Scalar: summed over classes, averaged over images (:func:`global_mean`).
    """
    with torch.autocast(logits.device.type, enabled=False):
        total = (F.softplus(-labels * logits.float()) * (labels != 0)).sum()
    return global_mean(total, len(logits))


def correct_and_seen(logits: torch.Tensor, labels: torch.Tensor, num_labels: int) -> torch.Tensor:
    """Count the patches of each label, and those of them that were classified correctly.

    Args:
        logits (Tensor): (P, K) or (P, K+1).
        labels (Tensor): (P,) int64; -1 does not count.
        num_labels (int): Rows of the result.

    Returns:
        Tensor: (num_labels, 2) int64: correct, seen.
    """
    logits, labels = logits[labels >= 0], labels[labels >= 0]
    seen = F.one_hot(labels, num_labels)
    correct = seen * (logits.argmax(1) == labels)[:, None]
    return torch.stack([correct.sum(0), seen.sum(0)], 1)


@MODELS.register_module()
class AdaptationHead(BaseModule):
    """Ya = ReLU(Wa Y7 + Ba), Yb = softmax(Wb Ya + Bb).

    Args:
        num_classes (int): K object classes.
        in_channels (int): D, the width of the features: 4096 for AlexNet's FC7.
        hidden_channels (int): Width of FCa. Paper: 2048.
        dropout (float): On the inputs of FCa and of FCb. The paper does not say where; 0.5 as
            in the authors' code of 2015.
        background (bool): One more output, the last, for background patches. Defaults to True.
        feature_scale (float): Features are multiplied by it first. The learning rate of the
            paper fits features of AlexNet's size (root mean square about 1); a network with
            larger ones needs a smaller factor. Defaults to 1.
        init_cfg (dict, optional): Defaults to He for FCa, N(0, 0.01) for FCb.

    Shapes: features (P, D) → logits (P, K+1).

    Works in any mmpretrain `ImageClassifier` whose samples are single patches (see
    `RandomLabeledPatch`); `pred_score` then holds the K object classes.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 4096,
        hidden_channels: int = 2048,
        dropout: float = 0.5,
        background: bool = True,
        feature_scale: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        default = [
            dict(type='Kaiming', mode='fan_in', override=dict(name='FCa')),
            dict(type='Normal', std=0.01, override=dict(name='FCb')),
        ]
        super().__init__(init_cfg=default if init_cfg is None else init_cfg)
        self.num_classes, self.in_channels = num_classes, in_channels
        self.background, self.feature_scale = background, feature_scale
        self.drop = nn.Dropout(dropout)
        self.FCa = nn.Linear(in_channels, hidden_channels)
        self.FCb = nn.Linear(hidden_channels, num_classes + int(background))

    def pre_logits(self, feats: Features) -> torch.Tensor:
        """The last stage's features as (P, D)."""
        last = feats if isinstance(feats, torch.Tensor) else feats[-1]
        return last.flatten(1) * self.feature_scale

    def forward(self, feats: Features) -> torch.Tensor:
        """Features (P, D) → logits (P, K+1)."""
        x = self.pre_logits(feats)
        x = F.relu(self.FCa(self.drop(x)))
        return self.FCb(self.drop(x))

    def scores(self, feats: Features) -> torch.Tensor:
        """Softmax scores of the K object classes, (P, K) float32, outside any autocast."""
        logits = self(feats)
        with torch.autocast(logits.device.type, enabled=False):
            return logits.float().softmax(1)[:, : self.num_classes]

    def loss(
        self, feats: Features, data_samples: Sequence[DataSample], **kwargs: Any
    ) -> dict[str, torch.Tensor]:
        """Cross-entropy of samples that are single patches, K in `gt_label` for background."""
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return dict(loss=global_mean_loss(self(feats), labels))

    def predict(
        self, feats: Features, data_samples: Sequence[DataSample] | None = None, **kwargs: Any
    ) -> list[DataSample]:
        """Set `pred_score` (K,) and `pred_label`, the best object class, of each sample."""
        scores = self.scores(feats)
        samples = list(data_samples or [DataSample() for _ in scores])
        for sample, score in zip(samples, scores, strict=True):
            sample.set_pred_score(score).set_pred_label(score.argmax())
        return samples
