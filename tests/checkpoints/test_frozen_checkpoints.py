"""Checkpoints and configs of earlier versions load and score as they did.

A folder of `tests/data/frozen` is named by the commit that wrote its files:

* `patch_classifier.pth`, `weak_patch_classifier.pth`, `context.pth`: whole checkpoints of a tiny
  ResNet with random weights, in crop mode, weak, and in dense mode with a `ContextHead`.
* `alexnet.pth`: without its backbone, whose weights ship with the package; `alexnet_backbone.json`
  has the backbone's keys with shapes and digests.
* `scores.json`: what `TCNNInferencer` gave of `image_3.png` and `image_8.png` on one CPU thread.
* `configs/*.txt`: configs as a training run wrote them, all bases merged.
"""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, MODELS, DefaultScope

from tcnn_mm import TCNNInferencer
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint

FROZEN = Path(__file__).parent.parent / 'data' / 'frozen' / '9bfe804'
IMAGES = [str(FROZEN / f'image_{number}.png') for number in (3, 8)]
SCORES = json.loads((FROZEN / 'scores.json').read_text())


def whole_checkpoint(name, folder):
    """Path of a frozen checkpoint; AlexNet's gets its backbone from the shipped weights."""
    path = FROZEN / f'{name}.pth'
    if name != 'alexnet':
        return path
    keys = json.loads((FROZEN / 'alexnet_backbone.json').read_text())
    shipped = load_safely('tcnn_mm://minivoc_source.pth')['state_dict']
    content = load_safely(path)
    for key, (shape, digest) in keys.items():
        value = shipped[key].contiguous()
        assert list(value.shape) == shape
        assert hashlib.sha256(value.numpy().tobytes()).hexdigest()[:16] == digest
        content['state_dict'][key] = value
    write_checkpoint(folder / 'alexnet.pth', content)
    return folder / 'alexnet.pth'


@pytest.mark.parametrize('name', sorted(SCORES))
def test_a_checkpoint_alone_scores_as_before(name, tmp_path):
    """Scores within 1e-5 and the same labels, from the checkpoint's own config and record.

    One processor rounds otherwise than another: up to 1.5e-6 was seen.
    """
    inferencer = TCNNInferencer(checkpoint=str(whole_checkpoint(name, tmp_path)), device='cpu')
    for result, before in zip(inferencer(IMAGES, batch_size=1), SCORES[name], strict=True):
        assert result['scores'] == pytest.approx(before['scores'], abs=1e-5)
        assert result['labels'] == before['labels']
    # Older than the record of the damping: the default holds.
    assert inferencer.damping == 20


@pytest.mark.parametrize('name', sorted(SCORES))
def test_state_dict_keys_are_those_of_the_model(name, tmp_path):
    """Every key of the file is a key of the model, and the other way round."""
    path = whole_checkpoint(name, tmp_path)
    inferencer = TCNNInferencer(checkpoint=str(path), device='cpu')
    state = load_safely(path)['state_dict']
    assert inferencer.model.state_dict().keys() == state.keys()
    for key, value in inferencer.model.state_dict().items():
        assert torch.equal(value, state[key]), key


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """Folder for a MiniVOC that is drawn once."""
    return tmp_path_factory.mktemp('cache')


@pytest.mark.parametrize('path', sorted((FROZEN / 'configs').iterdir()), ids=lambda p: p.stem)
def test_a_config_builds(path, cache, monkeypatch):
    """Model, data sets and metrics of an old run's config have the arguments that it gives."""
    monkeypatch.setenv('TCNN_CACHE', str(cache))
    cfg = Config.fromstring(path.read_text(), '.py')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        MODELS.build(dict(cfg.model, pretrained=None))
        for metric in cfg.test_evaluator:
            METRICS.build(metric)
        dataset = cfg.test_dataloader.dataset
        source = dataset.get('source', dataset)
        if source.type == 'tcnn_mm.MiniVOC':
            assert len(DATASETS.build(source)) == 120
