"""Features that a test left on disk: a report draws its images without the network."""

import os.path as osp
from typing import NamedTuple

import numpy as np
from mmengine.config import Config

from tcnn_mm.datasets.feature_bank import FILES, FeatureBank, is_feature_bank
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.run_artifacts import Scores


class BankFeatures(NamedTuple):
    """Windows of the images of a test.

    Attributes:
        bank (FeatureBank): With `test_mode`.
        indices (ndarray): (N,) int, item of the bank of each row of image_scores.csv.
    """

    bank: FeatureBank
    indices: np.ndarray


def read_bank_features(config: Config, scores: Scores) -> BankFeatures | None:
    """Open the bank that a test read; None without one, or where it lacks an image.

    Args:
        config: Of the test.
        scores: Its image scores.

    Raises:
        UserError: The bank cannot be read.
    """
    dataset = config.test_dataloader.dataset
    if not is_feature_bank(dataset):
        return None
    if not osp.isfile(osp.join(dataset.bank, FILES['manifest'])):
        return None
    bank = DATASETS.build(dataset)
    records = bank.manifest['pictures']
    known = {records[i]['img_id']: at for at, i in enumerate(bank.images.tolist())}
    if not all(name in known for name in scores.ids):
        return None
    return BankFeatures(bank, np.array([known[name] for name in scores.ids], np.int64))
