"""A trained model as plain networks: pixels in, scores out, nothing of the toolbox between.

What leaves the toolbox (ONNX, torch.export). Float32 throughout, whatever `frozen_dtype` says.
Letters: B patches, S patch side, K classes, (H, W) a resized picture, (h, w) its windows.
"""

import torch.nn.functional as F
from torch import nn

from tcnn_mm.models.encoder.frozen import run_layers
from tcnn_mm.models.weak_patch_classifier import WeakPatchClassifier


class _Plain(nn.Module):
    """The layers of a `PatchClassifier` without its sampling and voting."""

    def __init__(self, model):
        super().__init__()
        self.backbone, self.neck, self.head = model.backbone, model.neck, model.head
        self.names = [*model.encoder.layers_below, *model.encoder.layers_above]
        self.flips = model.preprocessing['channel_order'] == 'bgr'
        # Weak training's outputs are independent; else they are a softmax over K+1.
        self.independent = isinstance(model, WeakPatchClassifier)
        self.register_buffer('mean', model.encoder.mean.clone())
        self.register_buffer('std', model.encoder.std.clone())

    def normalise(self, pixels):
        """RGB 0–255 → what the weights expect."""
        return ((pixels.flip(1) if self.flips else pixels) - self.mean) / self.std

    def score(self, features):
        """Features of patches → (P, K+1) scores; (P, K) where there is no background output."""
        logits = self.head((features,))
        return logits.sigmoid() if self.independent else logits.softmax(1)


class PatchNetwork(_Plain):
    """Patches (B, 3, S, S) float32 RGB 0–255 → (B, K+1) scores, background last."""

    def forward(self, patches):
        x = run_layers(self.backbone, self.normalise(patches), self.names)
        return self.score(self.neck((x,))[-1] if self.neck is not None else x)


class DenseNetwork(_Plain):
    """One resized picture (1, 3, H, W) float32 RGB 0–255 → (h, w, K+1) scores of all windows.

    Window (i, j) is the S × S patch that starts at pixel (stride · i, stride · j).

    Args:
        model (PatchClassifier): In dense mode; of one in crop mode, its windows see their
            neighbourhood where a cropped patch sees padding, so scores differ.

    Attributes:
        stride (int): Pixels between neighbouring windows.
        side (int): Cells of the map that a window has.
    """

    def __init__(self, model):
        super().__init__(model)
        self.stride, self.side = model.encoder.map_geometry()
        self.map_names = list(model.encoder.map_layers)

    def forward(self, picture):
        cells = run_layers(self.backbone, self.normalise(picture), self.map_names)
        rest = self.names[len(self.map_names) :]
        rows, columns = (cells.shape[-2] - self.side + 1, cells.shape[-1] - self.side + 1)
        if rest:
            parts = cells[0].unfold(1, self.side, 1).unfold(2, self.side, 1)
            x = run_layers(self.backbone, parts.permute(1, 2, 0, 3, 4).flatten(0, 1), rest)
        else:  # a pooled network: the mean of a window
            x = F.avg_pool2d(cells, self.side, stride=1)[0].permute(1, 2, 0).flatten(0, 1)
        return self.score(x).unflatten(0, (rows, columns))


def plain_network(model, part):
    """The patch or the dense network of a model, in eval mode on the CPU.

    Args:
        model (PatchClassifier): With its weights; it moves to the CPU.
        part (str): 'patch' or 'dense'.
    """
    kinds = dict(patch=PatchNetwork, dense=DenseNetwork)
    return kinds[part](model.cpu()).eval().requires_grad_(False)
