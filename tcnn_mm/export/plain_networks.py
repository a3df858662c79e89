"""A trained model as plain networks for ONNX and torch.export: pixels in, scores out.

Float32 throughout, whatever `frozen_dtype` says.
Letters: B patches, S patch side, K classes, (H, W) a resized image, (h, w) its windows.
"""

import torch
import torch.nn.functional as F
from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.frozen import run_layers
from tcnn_mm.models.patch_model import PatchModel


class PlainNetwork(nn.Module):
    """The layers of a model without its sampling and voting.

    Args:
        model (PatchModel): With its weights.

    Attributes:
        independent (bool): Scores are sigmoids per class; else a softmax over K+1.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, model: PatchModel) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = model.backbone, model.neck, model.head
        self.names = [*model.encoder.layers_below, *model.encoder.layers_above]
        self.flips = model.preprocessing['channel_order'] == 'bgr'
        self.independent = model.voter.independent
        for name in ('mean', 'std'):
            value = torch.tensor(model.preprocessing[name], dtype=torch.float32)
            self.register_buffer(name, value.view(3, 1, 1))

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """RGB 0–255 → the input of the backbone."""
        return ((pixels.flip(1) if self.flips else pixels) - self.mean) / self.std

    def score(self, features: torch.Tensor) -> torch.Tensor:
        """Features of P patches → (P, K+1) scores; (P, K) without a background output."""
        logits = self.head((features,))
        return logits.sigmoid() if self.independent else logits.softmax(1)


class PatchNetwork(PlainNetwork):
    """Patches (B, 3, S, S) float32 RGB 0–255 → (B, K+1) scores, background last."""

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        x = run_layers(self.backbone, self.normalise(patches), self.names)
        return self.score(self.neck((x,))[-1] if self.neck is not None else x)


class DenseNetwork(PlainNetwork):
    """One resized image (1, 3, H, W) float32 RGB 0–255 → (h, w, K+1) scores of all windows.

    Window (i, j) is the S × S patch that starts at pixel (stride · i, stride · j).

    Args:
        model (PatchModel): In dense mode; of one in crop mode, windows see the pixels around
            them where a cropped patch sees padding, so scores differ.

    Attributes:
        stride (int): Pixels between adjacent windows.
        side (int): Cells of the map per window.

    Raises:
        ValueError: The network has no windows of a shared map, e.g. because of attention.
    """

    def __init__(self, model: PatchModel) -> None:
        super().__init__(model)
        if model.encoder.dense_tile is not None:
            raise InvalidValueError(
                'it runs in tiles (dense_tile); export its patches: --part patch'
            )
        self.stride, self.side = model.encoder.map_geometry()
        self.map_names = list(model.encoder.map_layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        cells = run_layers(self.backbone, self.normalise(image), self.map_names)
        rest = self.names[len(self.map_names) :]
        rows, columns = (cells.shape[-2] - self.side + 1, cells.shape[-1] - self.side + 1)
        if rest:
            parts = cells[0].unfold(1, self.side, 1).unfold(2, self.side, 1)
            x = run_layers(self.backbone, parts.permute(1, 2, 0, 3, 4).flatten(0, 1), rest)
        else:  # a pooled network: the mean of a window
            x = F.avg_pool2d(cells, self.side, stride=1)[0].permute(1, 2, 0).flatten(0, 1)
        return self.score(x).unflatten(0, (rows, columns))


def plain_network(model: PatchModel, part: str) -> PatchNetwork | DenseNetwork:
    """Make the patch or the dense network of a model, in eval mode on the CPU.

    Args:
        model: With its weights; it moves to the CPU.
        part: 'patch' or 'dense'.

    Raises:
        ValueError: See :class:`DenseNetwork`.
    """
    kinds: dict[str, type[PatchNetwork | DenseNetwork]] = dict(
        patch=PatchNetwork, dense=DenseNetwork
    )
    return kinds[part](model.cpu()).eval().requires_grad_(False)
