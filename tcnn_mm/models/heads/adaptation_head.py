"""FCa and FCb, the two layers that the method trains (paper, sec. 2)."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import BaseModule
from torch import nn

from tcnn_mm.registry import MODELS


def global_mean(total, count):
    """A process's sum such that DDP's mean over processes is the mean over all of them.

    Args:
        total (Tensor): Scalar, the sum over what this process has.
        count (int | Tensor): How many that are; every process joins, also with 0.

    Returns:
        Tensor: Scalar: local sum × processes / count of all processes.
    """
    counted = torch.as_tensor(count, dtype=torch.float32, device=total.device)
    all_reduce(counted)
    return total * get_world_size() / counted.clamp(min=1)


def global_mean_loss(logits, labels):
    """Cross-entropy such that DDP's mean over processes is the mean over all patches.

    Args:
        logits (Tensor): (P, K+1).
        labels (Tensor): (P,) int64; -1 is not for the loss.

    Returns:
        Tensor: Scalar, see :func:`global_mean`.
    """
    with torch.autocast(logits.device.type, enabled=False):
        total = F.cross_entropy(logits.float(), labels, ignore_index=-1, reduction='sum')
    return global_mean(total, (labels >= 0).sum())


def class_log_loss(logits, labels):
    """One log-loss a class, Σ log(1 + exp(-y f)), such that DDP's mean is that over all pictures.

    Args:
        logits (Tensor): (B, K) raw scores f of pictures.
        labels (Tensor): (B, K) y of {1, -1}; 0 is not for the loss.

    Returns:
        Tensor: Scalar: summed over classes, averaged over pictures (:func:`global_mean`).
    """
    with torch.autocast(logits.device.type, enabled=False):
        total = (F.softplus(-labels * logits.float()) * (labels != 0)).sum()
    return global_mean(total, len(logits))


def correct_and_seen(logits, labels, num_labels):
    """How many patches of each label were seen, and how many of them were recognised.

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
        num_classes,
        in_channels=4096,
        hidden_channels=2048,
        dropout=0.5,
        background=True,
        feature_scale=1.0,
        init_cfg=None,
    ):
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

    def pre_logits(self, feats):
        """The last stage's features as (P, D)."""
        feats = feats[-1] if isinstance(feats, (tuple, list)) else feats
        return feats.flatten(1) * self.feature_scale

    def forward(self, feats):
        x = self.pre_logits(feats)
        x = F.relu(self.FCa(self.drop(x)))
        return self.FCb(self.drop(x))

    def scores(self, feats):
        """Softmax scores of the K object classes, (P, K) float32, outside any autocast."""
        logits = self(feats)
        with torch.autocast(logits.device.type, enabled=False):
            return logits.float().softmax(1)[:, : self.num_classes]

    def loss(self, feats, data_samples, **kwargs):
        """For one patch a sample: `gt_label` is its class, K for background."""
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return dict(loss=global_mean_loss(self(feats), labels))

    def predict(self, feats, data_samples=None, **kwargs):
        """Sets `pred_score` (K,) and `pred_label`, the best object class, of each sample."""
        from mmpretrain.structures import DataSample

        scores = self.scores(feats)
        if data_samples is None:
            data_samples = [DataSample() for _ in scores]
        for sample, score in zip(data_samples, scores, strict=True):
            sample.set_pred_score(score).set_pred_label(score.argmax())
        return data_samples
