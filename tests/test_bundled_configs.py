"""Bundled configs are found by name from any folder."""

import os.path as osp

import pytest

from tcnn_mm.bundled_configs import bundled_configs, find_bundled, find_config
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_config_but_the_bases_is_listed():
    """Names are paths below configs/; nothing of `_base_` is among them."""
    found = bundled_configs()
    assert {'tcnn_minivoc', 'mixing/tcnn_mobilenetv2_voc07'} <= set(found)
    assert not any('_base_' in name for name in found)
    for name, path in found.items():
        assert osp.samefile(path, osp.join(CONFIGS, f'{name}.py'))


@pytest.mark.parametrize(
    'name',
    ['mixing/tcnn_mobilenetv2_voc07', 'tcnn_mobilenetv2_voc07', 'tcnn_mobilenetv2_voc07.py'],
)
def test_the_last_part_of_a_name_is_enough(name):
    """The full name, its last part, and that with `.py` are the same config."""
    full, path = find_bundled(name)
    assert full == 'mixing/tcnn_mobilenetv2_voc07'
    assert find_config(name) == path


def test_a_file_comes_first(tmp_path):
    """A file of the current folder is taken before a bundled config of its name."""
    (tmp_path / 'tcnn_minivoc.py').write_text('')
    assert find_config('tcnn_minivoc.py') == 'tcnn_minivoc.py'
    assert osp.samefile(find_config('tcnn_minivoc'), osp.join(CONFIGS, 'tcnn_minivoc.py'))


def test_an_unknown_name_lists_the_nearest(tmp_path):
    """Where was looked, the nearest names, and the command that lists all."""
    with pytest.raises(UserError, match='nearest: tcnn_voc07') as error:
        find_config('configs/tcnn_voc7.py')
    assert str(tmp_path / 'configs' / 'tcnn_voc7.py') in str(error.value)
    assert 'tcnn configs list' in str(error.value)
    with pytest.raises(UserError, match='no bundled config zzz; none has a like name'):
        find_bundled('zzz')
