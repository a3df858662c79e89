"""Class activation maps: where a linear classifier of the whole picture finds its evidence.

After Zhou et al., "Learning Deep Features for Discriminative Localization" (2016): the picture's
features are the mean of the network's last map, so the classifier's weights apply to each cell of
the map too. The baseline for pointing: the same frozen network, image labels alone, no patches.
"""

import numpy as np
import torch

from tcnn_mm.analysis.baselines import fit_logistic
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.encoder.dense import map_geometry
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.patches.crop import resize
from tcnn_mm.patches.geometry import resized_shape
from tcnn_mm.patches.peaks import map_peaks


def cells_to_points(peaks, map_hw, resized_hw, stride, size_hw):
    """Centres of cells (c, 2) (row, column) as points (c, 2) (x, y) in pixels of the picture.

    Cells are `stride` pixels of the resized picture apart and lie symmetrically in it, as in a
    network whose padding is the same on both sides.

    Args:
        peaks (ndarray): (c, 2) int.
        map_hw, resized_hw, size_hw (tuple): Cells, pixels of the resized and the stored picture.
        stride (int): Of the map.
    """
    map_hw, resized_hw, size_hw = (np.array(hw, float) for hw in (map_hw, resized_hw, size_hw))
    first = (resized_hw - (map_hw - 1) * stride) / 2
    return ((first + peaks * stride) * size_hw / resized_hw)[:, ::-1]


class ActivationMaps:
    """One logistic regression a class on the mean of the map, and its maps.

    Args:
        model (PatchClassifier): Its frozen network up to the map that is pooled (C5 of AlexNet).
        scale (float): The picture is resized so that its shorter side is λ times the patch side;
            its aspect stays.

    Raises:
        UserError: Layers below the map train: there is no frozen network to build on.
    """

    def __init__(self, model, scale):
        self.model, self.scale = model, scale
        self.layers, self.size = model.encoder.map_layers, model.preprocessing['size']
        if not set(self.layers) <= set(model.encoder.layers_below):
            raise UserError(
                f'class activation maps need frozen {", ".join(self.layers)}, which train here'
            )
        self.stride, _ = map_geometry(self._run, self.size, model.device)

    def _run(self, pictures):
        return self.model.encoder.run_map(pictures).float()

    def map_of(self, image):
        """uint8 (3, H, W) → the map (C, h, w) float32, and the resized picture's shape."""
        shape = resized_shape(*image.shape[-2:], self.scale, self.size, self.stride)
        picture = resize(self.model.encoder.prepare_image(image), shape)[None]
        return self._run(picture.contiguous(memory_format=torch.channels_last))[0], shape

    def fit(self, pictures):
        """Train on a data set of pictures."""
        features, labels = [], []
        bar = progress_bar(len(pictures), 'image')
        for item in _items(pictures):
            features.append(self.map_of(item['inputs'].to(self.model.device))[0].mean((1, 2)))
            labels.append(sample_labels(item['data_samples'], self.model.head.num_classes))
            bar.update()
        bar.close()
        self.weights, self.bias = fit_logistic(
            torch.stack(features).cpu().double().numpy(), np.stack(labels)
        )

    def point(self, image, classes):
        """What the classifier says of a picture, and where.

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


def _items(dataset):
    return (dataset[i] for i in range(len(dataset)))
