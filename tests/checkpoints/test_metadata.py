"""What a checkpoint records: thresholds, damping."""

import math

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import (
    configured_damping,
    map_damping,
    reads_upright,
    store_thresholds,
)
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import Calibration
from tests.support.small_checkpoint import write_small_checkpoint

THRESHOLDS = dict(key=0.25, fish=None, house=math.nan)


def test_thresholds_are_stored_and_nothing_else_changes(tmp_path):
    """By class, null where none could be chosen; weights, config and the rest stay."""
    path = tmp_path / 'a.pth'
    write_small_checkpoint(path)
    before = load_safely(path)
    store_thresholds(path, THRESHOLDS, '60 images of val')
    after = load_safely(path)
    ours = after['meta']['tcnn_mm']
    assert ours.pop('thresholds') == dict(key=0.25, fish=None, house=None)
    assert ours.pop('thresholds_chosen_on') == '60 images of val'
    assert after['meta'] == before['meta'] and after.keys() == before.keys()
    for key, value in before['state_dict'].items():
        assert torch.equal(after['state_dict'][key], value)
    store_thresholds(path, dict.fromkeys(THRESHOLDS, 0.5))
    assert 'thresholds_chosen_on' not in load_safely(path)['meta']['tcnn_mm']
    assert not list(tmp_path.glob('*.tmp'))


def test_calibrations_are_plain_numbers_of_the_same_data(tmp_path):
    """Stored with the thresholds as lists; thresholds of other data drop them."""
    path = tmp_path / 'a.pth'
    write_small_checkpoint(path)
    curves = dict(key=Calibration(0.25, 3.0), fish=None, house=Calibration(1.0, 0.0))
    store_thresholds(path, THRESHOLDS, 'val', curves)
    stored = load_safely(path)['meta']['tcnn_mm']['calibration']
    assert stored == dict(key=[0.25, 3.0], fish=None, house=[1.0, 0.0])
    store_thresholds(path, THRESHOLDS, 'other images')
    assert 'calibration' not in load_safely(path)['meta']['tcnn_mm']


def test_wrong_classes_and_foreign_files(tmp_path):
    """A class missing, one too many, a file that is no checkpoint of ours: named."""
    path = tmp_path / 'a.pth'
    write_small_checkpoint(path)
    with pytest.raises(UserError, match="'house' is missing"):
        store_thresholds(path, dict(key=0.1, fish=0.2))
    with pytest.raises(UserError, match="'dog' is none of them"):
        store_thresholds(path, dict(THRESHOLDS, dog=0.3))
    torch.save(dict(w=torch.ones(1)), tmp_path / 'bare.pth')
    with pytest.raises(UserError, match='CheckpointMetaHook'):
        store_thresholds(tmp_path / 'bare.pth', THRESHOLDS)


def test_damping_of_maps_has_one_rule():
    """The record, else the config's first metric that has one, else 20; 0 is a value."""
    metric = dict(type='tcnn_mm.PointLocalization', damping=5)
    config = dict(test_evaluator=[dict(type='tcnn_mm.VOCDevkitAP'), metric])
    assert map_damping({}) == map_damping({}, dict(test_evaluator=None)) == 20
    assert map_damping({}, config) == map_damping({}, dict(test_evaluator=metric)) == 5
    assert map_damping(dict(damping=0), config) == 0
    assert configured_damping(dict(test_evaluator=config['test_evaluator'][0])) is None


def test_images_are_read_upright_where_a_pipeline_says_so():
    """In a data loader's pipeline, at any depth of banks and wrappers; else as stored."""
    load = dict(type='tcnn_mm.LoadVOCObjects', upright=True)
    bank = dict(dataset=dict(source=dict(pipeline=[load, dict(type='PackPatchInputs')])))
    assert reads_upright([None, bank]) and reads_upright(dict(dataset=dict(pipeline=[load])))
    assert not reads_upright([bank | dict(dataset=dict(pipeline=[dict(load, upright=False)]))])
    assert not reads_upright(dict(upright=True)) and not reads_upright(None)
