"""Class activation maps of a linear classifier on whole images.

After Zhou et al., "Learning Deep Features for Discriminative Localization" (2016): the
feature of an image is the mean of the last map of the network, so the weights of the classifier
apply to each cell of the map too. The baseline for pointing: the same frozen network, image
labels, no patches.
"""

from collections.abc import Sequence

import numpy as np
import torch

from tcnn_mm.analysis.baselines import fit_logistic
from tcnn_mm.datasets.source_images import SizedDataset
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.encoder.locality import map_geometry
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.patches.crop import resize
from tcnn_mm.patches.geometry import resized_shape
from tcnn_mm.patches.peaks import map_peaks


def cells_to_points(
    peaks: np.ndarray,
    map_hw: Sequence[int],
    resized_hw: Sequence[int],
    stride: int,
    size_hw: Sequence[int],
) -> np.ndarray:
    """Centres of cells (c, 2) (row, column) as points (c, 2) (x, y) in pixels of the image.

    Cells are `stride` pixels of the resized image apart and lie symmetrically in it, as in a
    network whose padding is the same on both sides.

    Args:
        peaks (ndarray): (c, 2) int.
        map_hw, resized_hw, size_hw (tuple): Cells, pixels of the resized and the stored image.
        stride (int): Of the map.
    """
    cells, resized, size = (np.array(hw, float) for hw in (map_hw, resized_hw, size_hw))
    first = (resized - (cells - 1) * stride) / 2
    return ((first + peaks * stride) * size / resized)[:, ::-1]


class ActivationMaps:
    """One logistic regression per class on the mean of the map, and its maps.

    Args:
        model (PatchClassifier): Its frozen network up to the map that is pooled (C5 of AlexNet).
        scale (float): The image is resized so that its shorter side is λ times the patch side;
            its aspect stays.

    Raises:
        UserError: Layers below the map train: there is no frozen network to build on.
    """

    def __init__(self, model: PatchModel, scale: float) -> None:
        self.model, self.scale = model, scale
        self.layers, self.size = model.encoder.map_layers, model.preprocessing['size']
        if not set(self.layers) <= set(model.encoder.layers_below):
            raise UserError(
                f'class activation maps need frozen {", ".join(self.layers)}, which train here'
            )
        self.stride = model.encoder.map_stride
        if model.encoder.dense_tile is None:
            self.stride, _ = map_geometry(self._run, self.size, model.device)

    def _run(self, images: torch.Tensor) -> torch.Tensor:
        return self.model.encoder.run_map(images).float()

    def map_of(self, image: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """uint8 (3, H, W) → the map (C, h, w) float32, and the shape of the resized image."""
        height, width = image.shape[-2:]
        shape = resized_shape(height, width, self.scale, self.size, self.stride)
        resized = resize(self.model.encoder.prepare_image(image), shape)[None]
        return self._run(resized.contiguous(memory_format=torch.channels_last))[0], shape

    @torch.no_grad()
    def fit(self, images: SizedDataset) -> None:
        """Train on a data set of images."""
        features, labels = [], []
        number = len(images)
        bar = progress_bar(number, 'image')
        for i in range(number):
            item = images[i]
            features.append(self.map_of(item['inputs'].to(self.model.device))[0].mean((1, 2)))
            labels.append(sample_labels(item['data_samples'], self.model.head.num_classes))
            bar.update()
        bar.close()
        self.weights, self.bias = fit_logistic(
            torch.stack(features).cpu().double().numpy(), np.stack(labels)
        )

    @torch.no_grad()
    def point(
        self, image: torch.Tensor, classes: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Score an image and find the maximum of the maps of some classes.

        Args:
            image (Tensor): uint8 (3, H, W).
            classes (sequence[int]): c classes.

        Returns:
            tuple[ndarray, ndarray]: image scores (K,) and points (c, 2) in its pixels.
        """
        cells, shape = self.map_of(image.to(self.model.device))
        cells = cells.cpu().double()
        scores = cells.mean((1, 2)).numpy() @ self.weights + self.bias
        weights = torch.from_numpy(self.weights[:, classes])
        maps = torch.einsum('chw,ck->khw', cells, weights)
        peaks = map_peaks(maps).numpy()
        return scores, cells_to_points(peaks, cells.shape[1:], shape, self.stride, image.shape[-2:])
