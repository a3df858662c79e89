"""TCNN_DATA and TCNN_WEIGHTS: defaults, relative paths, empty values."""

import os

import pytest

from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.errors import UserError


def test_folders_become_absolute(tmp_path, monkeypatch):
    """Unset: the default below the current folder; a relative path and ~ are expanded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('TCNN_DATA', raising=False)
    monkeypatch.setenv('TCNN_WEIGHTS', '~/w')
    resolve_folders()
    assert os.environ['TCNN_DATA'] == str(tmp_path / 'data')
    assert os.environ['TCNN_WEIGHTS'] == os.path.expanduser('~/w')
    monkeypatch.setenv('TCNN_DATA', ' ')
    with pytest.raises(UserError, match='TCNN_DATA is set but empty'):
        resolve_folders()
