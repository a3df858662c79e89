"""One feature per image of a bank: the mean of its largest patches."""

import os.path as osp

import numpy as np

from tcnn_mm.datasets.bank_reading import FILES, open_features
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.patches.geometry import largest


def image_features(bank: FeatureBank) -> np.ndarray | None:
    """Mean feature of the largest patches of each image that a bank uses: (N, D) float32.

    Args:
        bank: Of sampled patches, which keeps these means, or of all windows.

    Returns:
        None of sampled patches of maps, which have no means.
    """
    path = osp.join(bank.folder, FILES['whole'])
    if osp.isfile(path):
        whole = open_features(path, (len(bank.first), bank.features.shape[-1]))
        return np.asarray(whole[bank.images], np.float32)
    if not (bank.test_mode or bank.windows):
        return None
    found = []
    for image in bank.images:
        first = bank.first[image]
        rows = first + np.flatnonzero(largest(bank.boxes[first : first + bank.sizes[image]]))
        mean = np.asarray(bank.features[0, rows], np.float32).mean(0)
        found.append(mean.reshape(-1))
    return np.stack(found)
