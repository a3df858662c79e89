"""A trained model as two plain networks, between which a graph lays its grid.

Letters: (H, W) a resized image, n rows and m columns of windows, P patches, K classes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.frozen import FrozenCopy, run_layers
from tcnn_mm.models.encoder.shared_maps import cell_weights, read_grid
from tcnn_mm.models.patch_model import PatchModel


def run_in_float32(model: PatchModel) -> None:
    """Let the frozen layers of a model run in float32, whatever its `frozen_dtype` is."""
    encoder = model.encoder
    encoder.frozen = FrozenCopy(model.backbone, encoder.layers_below, size=encoder.size)


def windows(
    pixels: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, side: int
) -> torch.Tensor:
    """Cut the crossings of rows and columns: (C, H, W), (n,), (m,) → (n · m, C, side, side)."""
    reach = torch.arange(side, device=rows.device)
    y, x = ((starts[:, None] + reach).flatten() for starts in (rows, columns))
    cut = pixels.index_select(1, y).index_select(2, x)
    grid = cut.unflatten(1, (rows.shape[0], side)).unflatten(3, (columns.shape[0], side))
    return grid.permute(1, 3, 0, 2, 4).flatten(0, 1)


class FeatureNetwork(nn.Module):
    """The features of all windows of one resized image, as `PatchEncoder` gives them.

    Args:
        model (PatchModel): In eval mode on the CPU; see :func:`run_in_float32`.

    Shapes: normalised image (1, 3, H, W) float32, starts of windows (n,) and (m,) int64 in its
    pixels → (n · m, …) float32.
    """

    def __init__(self, model: PatchModel) -> None:
        super().__init__()
        encoder = model.encoder
        if encoder.dense_tile is not None:
            raise InvalidValueError(
                'a network that runs in tiles (dense_tile) has no file of whole images yet; export '
                'its patches: --part patch'
            )
        self.backbone = encoder.frozen.current()
        self.neck = encoder.neck
        self.size, self.dense = encoder.size, encoder.feature_mode == 'dense'
        self.stride, self.side = encoder.map_stride, encoder.map_side or 0
        self.below = list(encoder.layers_below)
        self.map_layers = list(encoder.map_layers)
        self.pools = not encoder.layers_above

    def forward(
        self, image: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
    ) -> torch.Tensor:
        if not self.dense:
            x = run_layers(self.backbone, windows(image[0], rows, columns, self.size), self.below)
            return self.neck((x,))[-1] if self.pools and self.neck is not None else x
        cells = run_layers(self.backbone, image, self.map_layers)
        y, x = (torch.div(starts, self.stride, rounding_mode='floor') for starts in (rows, columns))
        if self.map_layers == ['backbone']:
            means = F.avg_pool2d(cells, self.side, stride=1)[0]
            return means.index_select(1, y).index_select(2, x).permute(1, 2, 0).flatten(0, 1)
        rest = self.below[len(self.map_layers) :]
        return run_layers(self.backbone, windows(cells[0], y, x, self.side), rest)


class MapNetwork(nn.Module):
    """The map that patches of several scales are read from, as `PatchEncoder` gives it.

    Shapes: normalised image (1, 3, H, W) float32 → (1, C, h, w) float32.
    """

    def __init__(self, model: PatchModel) -> None:
        super().__init__()
        self.backbone = model.encoder.frozen.current()
        self.map_layers = list(model.encoder.map_layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return run_layers(self.backbone, image, self.map_layers)


class ReadNetwork(nn.Module):
    """The features of windows of one scale, read from the map of :class:`MapNetwork`.

    Shapes: map (1, C, h, w) float32; first cells of rows (n,) and columns (m,) and cells per row
    () and column (), float64 → (n · m, …) float32.
    """

    def __init__(self, model: PatchModel) -> None:
        super().__init__()
        encoder = model.encoder
        self.backbone, self.side = encoder.frozen.current(), encoder.map_side or 0
        self.rest = list(encoder.layers_below)[len(encoder.map_layers) :]
        self.means = encoder.map_layers == ['backbone']

    def forward(
        self,
        cells: torch.Tensor,
        rows: torch.Tensor,
        row_cells: torch.Tensor,
        columns: torch.Tensor,
        column_cells: torch.Tensor,
    ) -> torch.Tensor:
        parts = 1 if self.means else self.side
        y = cell_weights(rows, row_cells, cells.shape[2], parts)
        x = cell_weights(columns, column_cells, cells.shape[3], parts)
        read = read_grid(cells[0], y, x).flatten(0, 1)
        if self.means:
            return read.flatten(1)
        return run_layers(self.backbone, read, self.rest) if self.rest else read


class VotingNetwork(nn.Module):
    """Features of all windows of an image → its scores and those of its windows.

    Args:
        model (PatchModel): In eval mode on the CPU.

    Shapes: features (P_s, …) float32 of each scale → scores (K,) float32, and (P_s, K) of each
    scale. A model with a context head takes (scales,) float32 before them: 1 for the scales whose
    windows are the largest, else 0.
    """

    def __init__(self, model: PatchModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        voter, whole, features = self.model.voter, None, list(inputs)
        if voter.context is not None:
            largest = features.pop(0)
            sums = torch.stack([part.sum(0) for part in features])
            counts = torch.stack([part.new_ones(part.shape[0]).sum() for part in features])
            whole = (largest @ sums) / (largest * counts).sum()
        votes = [voter.votes(part) for part in features]
        score = voter.image_score(torch.cat(votes), [part.shape[0] for part in votes], whole)
        return (score.float(), *(voter.patch_scores(part) for part in votes))
