"""Width and size of a network's features, for networks whose configs do not know them."""

import torch
from mmengine.registry import MODELS

from tcnn_mm.datasets.image_io import load_rgb_chw

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
    features = model.whole_features([torch.from_numpy(load_rgb_chw(path)) for path in chosen])
    size = float(features.square().mean().sqrt())
    scale = 1 / size if size > 0 else 1.0
    return dict(in_channels=features.shape[1], feature_scale=float(f'{scale:.1g}'))
