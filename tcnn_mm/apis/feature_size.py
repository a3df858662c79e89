"""Width and size of a network's features, for networks whose configs do not know them."""

import math

import numpy as np
import torch
from mmengine.registry import MODELS

from tcnn_mm.datasets.image_io import load_bgr

PICTURES = 8


@torch.no_grad()
def measure_features(model_cfg, paths):
    """What a head on these features needs to be told: their width, and a scale to size 1.

    The paper's learning rate fits features of a root mean square of about 1 (AlexNet's FC7).

    Args:
        model_cfg (dict): Of a `PatchClassifier` with `pretrained`; `head.in_channels` may be wrong.
        paths (list[str]): Pictures; about eight, evenly spaced, are described as wholes.

    Returns:
        dict: `in_channels`, `feature_scale` (one significant digit).

    Raises:
        UserError: The weights are of another network, or the pictures cannot be read.
    """
    model = MODELS.build(model_cfg)
    model.init_weights()
    model.eval()
    chosen = paths[:: max(1, len(paths) // PICTURES)][:PICTURES]
    rows = []
    for path in chosen:
        pixels = np.ascontiguousarray(load_bgr(path)[..., ::-1].transpose(2, 0, 1))
        rows.append(model.whole_features([torch.from_numpy(pixels)]))
    features = torch.cat(rows)
    size = float(features.square().mean().sqrt())
    digits = -math.floor(math.log10(1 / size)) if size > 0 else 0
    return dict(
        in_channels=features.shape[1], feature_scale=round(1 / size, digits) if size > 0 else 1.0
    )
