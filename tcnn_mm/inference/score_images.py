"""Scores of images as one array, without patches, labels and maps."""

from collections.abc import Sequence

import numpy as np

from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.inputs import OneImage


def score_images(
    inferencer: TCNNInferencer, images: Sequence[OneImage], batch_size: int = 4
) -> np.ndarray:
    """Score images.

    Args:
        inferencer: The trained model.
        images: N single images.
        batch_size: Images at a time.

    Returns:
        (N, K) float64 in the order of `inferencer.classes`.

    Raises:
        UserError: An image cannot be read.
    """
    rows = []
    one = inferencer.classes[:1]
    for result in inferencer.iter(list(images), batch_size=batch_size, classes=one, top_patches=0):
        if 'error' in result:
            raise UserError(result['error'])
        rows.append([result['scores'][name] for name in inferencer.classes])
    return np.array(rows, np.float64).reshape(-1, len(inferencer.classes))
