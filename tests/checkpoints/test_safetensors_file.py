"""Safetensors files beside torch's own."""

import sys

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.errors import UserError
from tests.support.small_checkpoint import write_small_checkpoint


def test_safetensors_hold_the_same(tmp_path):
    """Weights bit-equal, meta equal up to JSON's lists; thresholds can be stored in it too."""
    pytest.importorskip('safetensors', reason='needs safetensors (pip install safetensors)')
    write_small_checkpoint(tmp_path / 'a.pth')
    whole = load_safely(tmp_path / 'a.pth')
    path = tmp_path / 'a.safetensors'
    write_checkpoint(path, dict(meta=whole['meta'], state_dict=whole['state_dict']))
    store_thresholds(path, dict(key=0.25, fish=None, house=0.5))
    read = load_safely(path)
    assert read['meta']['dataset_meta']['classes'] == ['key', 'fish', 'house']
    assert read['meta']['tcnn_mm']['thresholds']['key'] == 0.25
    assert read['meta']['cfg'] == whole['meta']['cfg']
    assert read['state_dict'].keys() == whole['state_dict'].keys()
    for key, value in whole['state_dict'].items():
        assert torch.equal(read['state_dict'][key], value)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match='a.safetensors: damaged'):
        load_safely(path)


def test_without_the_package_safetensors_say_what_to_install(tmp_path, monkeypatch):
    """One line, no ImportError."""
    monkeypatch.setitem(sys.modules, 'safetensors', None)
    monkeypatch.setitem(sys.modules, 'safetensors.torch', None)
    path = tmp_path / 'a.safetensors'
    path.write_bytes(b'')
    with pytest.raises(UserError, match='pip install safetensors'):
        load_safely(path)
