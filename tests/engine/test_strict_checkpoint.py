"""A checkpoint of another model, other classes or other scoring gives an error, not a figure."""

import copy

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.engine.load_config import add_hooks, parse_options
from tcnn_mm.errors import UserError
from tests.support.remedies import words_named
from tests.support.runs import test, train


def changed(trained_run, path, change):
    """Path of a copy of the run's checkpoint, changed by a function."""
    content = copy.deepcopy(trained_run.checkpoint)
    change(content)
    torch.save(content, path)
    return path


def reverse_classes(content):
    meta = content['meta']['dataset_meta']
    meta['classes'] = tuple(reversed(meta['classes']))


def other_classes(content):
    state = content['state_dict']
    for key in ('head.FCb.weight', 'head.FCb.bias'):
        state[key] = state[key][:4]


def without_head(content):
    for key in [key for key in content['state_dict'] if key.startswith('head')]:
        del content['state_dict'][key]


@pytest.mark.parametrize(
    'change, message',
    [
        (reverse_classes, 'the test data has the same classes in another order'),
        (other_classes, r'other shapes: head.FCb.bias \(4,\), the model has \(7,\)'),
        (without_head, 'missing: head.FCa.bias, head.FCa.weight, head.FCb.bias'),
        (lambda c: c['state_dict'].update(a=torch.zeros(1)), 'unexpected: a'),
        (lambda c: c['state_dict']['head.FCb.bias'].fill_(float('nan')), 'NaN or inf.*FCb.bias'),
    ],
)
def test_another_checkpoint_is_not_tested(trained_run, tmp_path, change, message):
    """mmengine would test it with random layers, or with names of other classes."""
    path = changed(trained_run, tmp_path / 'c.pth', change)
    with pytest.raises(UserError, match=f'{path}: .*{message}'):
        test(trained_run.config(tmp_path), path)


@pytest.mark.parametrize(
    'options, message',
    [
        ({'model.aggregator.k': 3}, 'aggregator: .*3.*, trained with .*5'),
        ({'model.sampler.grid.scales': [1.0]}, r'grid: .*trained with .*\[1.0, 2.0\]'),
        ({'model.feature_mode': 'dense'}, "feature_mode: 'dense', trained with 'crop'"),
        ({'model.preprocessing': dict(mean=[0.0, 0.0, 0.0])}, 'preprocessing: .*trained with'),
    ],
)
def test_another_way_of_scoring_is_refused_unless_asked_for(
    trained_run, tmp_path, options, message
):
    """The error says which option asks for it, and with it the test runs."""
    checkpoint = trained_run.folder / 'epoch_2.pth'
    with pytest.raises(UserError, match=message) as error:
        test(trained_run.config(tmp_path, **options), checkpoint)
    option = words_named(error.value, '--cfg-options')[1]
    cfg = trained_run.config(tmp_path, images=2, **options)
    cfg.merge_from_dict(parse_options([option]))
    if options.get('model.aggregator.k'):
        assert test(cfg, checkpoint)['voc10/mAP'] >= 0
    cfg.allowed_differences = ['grids']
    with pytest.raises(UserError, match="'grids' is none of preprocessing, sampler, grid"):
        test(cfg, checkpoint)


def test_a_resume_with_other_frozen_layers_is_refused(trained_run, tmp_path):
    """Before the optimizer's state fails to fit; reordered classes too."""
    cfg = trained_run.config(tmp_path, epochs=3, **{'model.frozen': ['C1', 'C2', 'C3', 'C4', 'C5']})
    cfg.resume, cfg.load_from = True, str(trained_run.folder / 'epoch_2.pth')
    with pytest.raises(UserError, match='frozen: .*trained with'):
        train(cfg)
    cfg = trained_run.config(tmp_path, epochs=3)
    cfg.resume = True
    cfg.load_from = str(changed(trained_run, tmp_path / 'c.pth', reverse_classes))
    with pytest.raises(UserError, match='the train data has the same classes in another order'):
        train(cfg)


def test_transfer_from_a_source_network_starts_a_new_head(trained_run, tmp_path, monkeypatch):
    """load_from of a plain classifier fills the backbone; a missing layer of it is an error."""
    cfg = trained_run.config(tmp_path, epochs=1, images=2)
    cfg.load_from = local_path('tcnn_mm://minivoc_source.pth')
    state = train(cfg)['state_dict']
    source = load_safely(cfg.load_from)['state_dict']
    key = 'backbone.features.0.weight'
    assert torch.equal(state[key], source[key])
    del source[key]
    torch.save(dict(state_dict=source), tmp_path / 'part.pth')
    cfg.load_from = str(tmp_path / 'part.pth')
    with pytest.raises(UserError, match=f'missing: {key}'):
        train(cfg)


def test_a_training_goes_on_with_other_layers_by_load_from(trained_run, tmp_path):
    """Frozen layers, grid and aggregator may be others then; the classes may not."""
    cfg = trained_run.config(tmp_path, epochs=1, images=2, **{'model.aggregator.k': 3})
    cfg.load_from = str(trained_run.folder / 'epoch_2.pth')
    assert train(cfg)['meta']['tcnn_mm']['aggregator']['k'] == 3
    cfg.load_from = str(changed(trained_run, tmp_path / 'c.pth', reverse_classes))
    with pytest.raises(UserError, match='another order'):
        train(cfg)


def test_text_of_an_old_checkpoint_is_not_run_at_resume(trained_run, tmp_path):
    """mmengine would run `meta['config']`."""
    code = f"open({str(tmp_path / 'ran')!r}, 'w')\na = 1\n"
    path = changed(trained_run, tmp_path / 'c.pth', lambda c: c['meta'].update(config=code))
    cfg = trained_run.config(tmp_path)
    cfg.resume, cfg.load_from = True, str(path)
    cfg.train_cfg.max_epochs = 3
    train(cfg)
    assert not (tmp_path / 'ran').exists()


def test_any_config_gets_the_hooks_that_guard_it(trained_run):
    """Once, after those of its own."""
    cfg = trained_run.config()
    cfg.custom_hooks = [dict(type='tcnn_mm.EpochSeedHook')]
    add_hooks(cfg)
    add_hooks(cfg)
    assert [hook.type for hook in cfg.custom_hooks] == [
        'tcnn_mm.EpochSeedHook',
        'tcnn_mm.StrictCheckpointHook',
        'tcnn_mm.CheckFiniteHook',
    ]
