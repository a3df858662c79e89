"""A report says how many test images are unlike the training images, from the features on disk."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.evaluation.training_images import keep_training_images, to_record
from tcnn_mm.reports import unlike_images as module
from tcnn_mm.reports.bank_features import BankFeatures
from tcnn_mm.reports.run_artifacts import Scores
from tcnn_mm.reports.unlike_images import unlike_images
from tests.support.small_checkpoint import write_small_checkpoint

TRAINING = np.random.default_rng(0).normal(size=(40, 256)) + 30 * np.eye(256)[0]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A test of 25 images, of which the rows of the bank are the other way round."""
    write_small_checkpoint(tmp_path / 'old.pth')
    content = load_safely(tmp_path / 'old.pth')
    record = to_record(keep_training_images(TRAINING))
    content['meta']['tcnn_mm']['training_images'] = record
    torch.save(content, tmp_path / 'a.pth')
    features = np.concatenate([TRAINING[:22], np.eye(256)[1:4]])[::-1]
    monkeypatch.setattr(module, 'image_features', lambda bank: features)
    found = BankFeatures(None, np.arange(25)[::-1])
    monkeypatch.setattr(module, 'read_bank_features', lambda config, scores: found)
    scores = Scores([str(i) for i in range(25)], list('abc'), np.full((25, 3), 0.5))
    return SimpleNamespace(
        checkpoint=str(tmp_path / 'a.pth'),
        config=None,
        cross_validated=False,
        folder=tmp_path,
        scores=scores,
        tested=True,
    )


def test_images_are_counted(run):
    """Three of 25 point elsewhere."""
    assert unlike_images(run).startswith('3 of 25 images look unlike the training images')


def test_what_is_unknown_is_left_out(run, monkeypatch):
    """An older checkpoint, cross-validated images, no bank; a file that is none is a sentence."""
    run.checkpoint, path = str(run.folder / 'old.pth'), run.checkpoint
    assert unlike_images(run) == ''
    run.checkpoint, run.cross_validated = path, True
    assert unlike_images(run) == ''
    run.cross_validated = False
    monkeypatch.setattr(module, 'read_bank_features', lambda config, scores: None)
    assert unlike_images(run) == ''
    run.checkpoint = str(run.folder / 'none.pth')
    assert 'is unknown: ' in unlike_images(run)
