"""Prediction says which images look unlike the training images, by the checkpoint alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.training_images import keep_training_images, to_record
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.predict_folder import predict_to_folder
from tests.support.small_checkpoint import write_small_checkpoint


def scene(seed):
    """A bluish gradient with noise (48, 64, 3)."""
    random = np.random.default_rng(seed)
    base = np.linspace(40, 200, 64)[None, :, None] * np.array([0.3, 0.5, 1.0])
    return np.clip(base + random.normal(0, 12, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """`old.pth`, and `a.pth`, which keeps 20 scenes as its training images."""
    root = tmp_path_factory.mktemp('unlike')
    model = write_small_checkpoint(root / 'old.pth')
    images = [torch.from_numpy(scene(seed).transpose(2, 0, 1).copy()) for seed in range(20)]
    with torch.no_grad():
        kept = keep_training_images(model.whole_features(images).numpy())
    content = load_safely(root / 'old.pth')
    content['meta']['tcnn_mm']['training_images'] = to_record(kept)
    torch.save(content, root / 'a.pth')
    return root


def test_a_training_image_and_a_stranger(folder):
    """0 and 1; the other results are those of a checkpoint that keeps nothing."""
    stranger = np.full((48, 64, 3), (250, 240, 0), np.uint8)
    found = TCNNInferencer(checkpoint=folder / 'a.pth')([scene(3), stranger])
    assert [result['unfamiliar'] for result in found] == [0, 1]
    plain = TCNNInferencer(checkpoint=folder / 'old.pth')([scene(3), stranger])
    assert all('unfamiliar' not in result for result in plain)
    assert [result['scores'] for result in found] == [result['scores'] for result in plain]


def test_a_folder_of_strangers_is_drift(folder, tmp_path):
    """The summary counts them and says that the folder is unlike; results have the values."""
    (tmp_path / 'in').mkdir()
    for i in range(20):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 48), 0).save(tmp_path / 'in' / f'{i}.png')
    done = predict_to_folder(
        str(tmp_path / 'in'), folder / 'a.pth', str(tmp_path / 'out'), overlays=False
    )
    assert all(0 <= result['unfamiliar'] <= 1 for result in done.results)
    text = done.summary()
    assert '20 of 20 images look unlike the training images' in text
    assert '\ndrift: as a whole these images differ from the training images' in text
    assert '\nmost unlike first: ' in text and '… (20 in all)' in text
    plain = predict_to_folder(
        str(tmp_path / 'in' / '1.png'), folder / 'old.pth', str(tmp_path / 'o'), overlays=False
    )
    assert 'unfamiliar: unknown; the checkpoint keeps no training images' in plain.summary()


def test_a_record_of_another_network_is_refused(folder, tmp_path):
    """Vectors of another width than the features cannot be compared: one line, when it is read."""
    content = load_safely(folder / 'a.pth')
    other = keep_training_images(np.random.default_rng(0).normal(size=(20, 7)))
    content['meta']['tcnn_mm']['training_images'] = to_record(other)
    torch.save(content, tmp_path / 'b.pth')
    with pytest.raises(UserError, match='b.pth: .*training_images.* 7 channels.* 256'):
        TCNNInferencer(checkpoint=tmp_path / 'b.pth')
