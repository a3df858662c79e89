"""Measure width and size of a network's features, where its config does not know them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.registry import MODELS

from tcnn_mm.datasets.image_io import load_rgb_chw

# So many images, evenly spaced, are described as wholes.
MEASURED_IMAGES = 8


class FeatureSize(NamedTuple):
    """What a head on some features needs to be told.

    Attributes:
        in_channels (int): D, their width.
        feature_scale (float): Makes their root mean square about 1, as that of AlexNet's FC7,
            which the paper's learning rate fits; one significant digit.
    """

    in_channels: int
    feature_scale: float


@torch.no_grad()
def measure_features(model_cfg: Mapping[str, Any], paths: Sequence[str]) -> FeatureSize:
    """Describe some images and measure the features.

    Args:
        model_cfg: Of a `PatchClassifier` with `pretrained`; `head.in_channels` may be wrong.
        paths: Files of images.

    Raises:
        UserError: The weights are of another network, or an image cannot be read.
    """
    model = MODELS.build(dict(model_cfg))
    model.init_weights()
    model.eval()
    chosen = paths[:: max(1, len(paths) // MEASURED_IMAGES)][:MEASURED_IMAGES]
    features = model.whole_features([torch.from_numpy(load_rgb_chw(path)) for path in chosen])
    size = float(features.square().mean().sqrt())
    return FeatureSize(features.shape[1], float(f'{1 / size if size > 0 else 1.0:.1g}'))
