"""A diverging training stops with names; nothing that is not finite is saved or scored."""

import json

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.bank_reading import FILES
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.check_finite import CheckFiniteHook, _bank_images
from tcnn_mm.errors import UserError
from tcnn_mm.patches.bank_batch import BankPatches
from tests.support.patch_model import build_model, make_image
from tests.support.runs import assert_same_state, small_config, train
from tests.support.tiny_run import TinyData, last_state, train_tiny

FINITE = dict(type='tcnn_mm.CheckFiniteHook')


def test_a_huge_learning_rate_stops_before_a_checkpoint_is_spoilt(tmp_path):
    """lr=1e6: epoch and iteration, the images, the last checkpoint, which stays as it was."""
    good = small_config(tmp_path, epochs=1)
    train(good)
    before = load_safely(tmp_path / 'epoch_1.pth')['state_dict']
    cfg = small_config(tmp_path, epochs=20, **{'optim_wrapper.optimizer.lr': 1e6})
    cfg.resume = True
    cfg.param_scheduler = None
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type=SetRate, rate=1e6)]
    message = r'epoch \d+, iteration \d+: .*images of the batch: .*last good checkpoint: '
    with pytest.raises(UserError, match=message + f'{tmp_path}/epoch_\\d+.pth') as error:
        train(cfg)
    assert sum(f'{i:04d}' in str(error.value) for i in range(1000)) >= 4
    for path in tmp_path.glob('*.pth'):
        state = load_safely(path)['state_dict']
        assert all(torch.isfinite(value).all() for value in state.values())
    assert_same_state(load_safely(tmp_path / 'epoch_1.pth')['state_dict'], before)


class SetRate(Hook):
    """Sets the learning rate of a resumed run, which brings its own."""

    def __init__(self, rate):
        self.rate = rate

    def before_train_epoch(self, runner):
        for group in runner.optim_wrapper.optimizer.param_groups:
            group['lr'] = self.rate


def test_one_bad_image_is_named_and_the_step_is_not_made(tmp_path, monkeypatch):
    """NaN in one sample of a batch: its name alone, and the weights before the step."""
    kept = {}

    class Keep(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            kept.update(
                {k: v.clone() for k, v in runner.model.state_dict().items()}, now=runner.model
            )

    original = TinyData.__getitem__

    def spoilt(self, index):
        item = original(self, index)
        if index == 5:
            item['inputs'] = item['inputs'] * float('nan')
        return item

    monkeypatch.setattr(TinyData, '__getitem__', spoilt)
    with pytest.raises(
        UserError, match=r'epoch 1, iteration \d: gradients hold NaN .*layer.weight'
    ):
        train_tiny(tmp_path, hooks=(FINITE, dict(type=Keep)))
    model = kept.pop('now')
    assert_same_state(dict(model.state_dict()), kept)
    assert not list(tmp_path.glob('*.pth'))


def test_images_with_a_loss_that_is_not_finite_are_told_from_the_others():
    """Of the images of a batch, those whose own loss is not finite."""
    model = build_model().train()
    model.set_epoch(0, 0)
    images, samples = zip(*(make_image(seed=i, name=f'{i}.jpg') for i in range(3)), strict=True)
    images, samples = list(images), list(samples)
    original = model.loss

    def loss(inputs, data_samples):
        found = original(inputs, data_samples)
        bad = any(sample.img_id == samples[1].img_id for sample in data_samples)
        return {k: v * float('nan') if bad else v for k, v in found.items()}

    model.loss = loss
    hook = CheckFiniteHook()
    hook._batch = dict(inputs=images, data_samples=samples)
    runner = type('R', (), dict(model=model))
    assert hook._images(runner) == f'images whose own loss is not finite: {samples[1].img_id}'


def test_images_of_a_spoilt_bank_are_named(tmp_path):
    """A bank's batch has no names: the bank is searched for features that are not finite."""
    features = np.ones((1, 4, 2), np.float16)
    features[0, 2, 1] = np.nan
    features.tofile(tmp_path / FILES['features'])
    sizes = np.array([1, 2, 1])
    np.savez(
        tmp_path / FILES['rows'],
        boxes=np.zeros((4, 4), np.float32),
        labels=np.zeros(4, np.int64),
        first=np.array([0, 1, 3]),
        sizes=sizes,
    )
    pictures = [dict(img_id=name) for name in ('a.jpg', 'b.jpg', 'c.jpg')]
    manifest = dict(recipe={}, shape=[1, 4, 2], classes=['x'], pictures=pictures)
    (tmp_path / FILES['manifest']).write_text(json.dumps(manifest))
    bank = FeatureBank(str(tmp_path), flips=False)
    whole = BankPatches([torch.from_numpy(features[0])], [torch.zeros(4)])
    assert _bank_images(bank, whole).endswith('of the images b.jpg')
    good = BankPatches([torch.ones(4, 2)], [torch.zeros(4)])
    assert 'features are finite' in _bank_images(bank, good)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    """Whatever made them so: the checkpoint before stays."""

    class Spoil(Hook):
        def after_train_epoch(self, runner):
            if runner.epoch == 1:
                runner.model.layer.bias.data.fill_(float('inf'))

    with pytest.raises(UserError, match=r'weights hold NaN .*layer.bias.*epoch_1.pth'):
        train_tiny(tmp_path, hooks=(FINITE, dict(type=Spoil)))
    assert last_state(tmp_path)['progress'] == [1, 4]


def test_a_score_that_is_not_finite_is_not_given():
    """`predict` names the image."""
    model = build_model().eval()
    model.head.FCb.bias.data.fill_(float('nan'))
    image, sample = make_image(name='a.jpg')
    with pytest.raises(UserError, match='a.jpg: its scores are NaN'):
        model.predict([image], [sample])
