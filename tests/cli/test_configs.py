"""`tcnn configs`: list, show, and copies that are the bundled config."""

import pytest
from mmengine.config import Config

from tcnn_mm.bundled_configs import bundled_configs
from tcnn_mm.cli.config_copy import config_text
from tcnn_mm.errors import UserError
from tests.support.tool_module import run_command


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TCNN_DATA', str(tmp_path / 'data'))
    monkeypatch.delenv('TCNN_WEIGHTS', raising=False)


def test_list_has_every_config_and_what_it_is(capsys):
    """One line per config: its name and the first line of its header."""
    run_command('configs', 'list')
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(bundled_configs())
    assert all(len(line.split()) > 3 for line in lines)


def test_show(capsys):
    """The file as it is; with --full what it inherits, folders still from the environment."""
    run_command('configs', 'show', 'tcnn_minivoc')
    with open(bundled_configs()['tcnn_minivoc']) as file:
        assert capsys.readouterr().out == file.read()
    run_command('configs', 'show', 'tcnn_voc07', '--full')
    text = capsys.readouterr().out
    assert '_base_' not in text and "data_root='{{$TCNN_DATA:data}}/VOCdevkit/VOC2007'" in text


@pytest.mark.parametrize('flags', [(), ('--full',)])
@pytest.mark.parametrize('name', ['tcnn_minivoc', 'mixing/tcnn_mobilenetv2_voc07'])
def test_a_copy_is_the_config(name, flags, capsys):
    """Thin or full, a copy read in another folder equals the bundled config."""
    file = f'{name.rpartition("/")[2]}.py'
    run_command('configs', 'copy', name, *flags)
    assert f'tcnn train {file}' in capsys.readouterr().out
    copy, original = Config.fromfile(file), Config.fromfile(bundled_configs()[name])
    for key in ('model', 'train_dataloader', 'test_dataloader', 'optim_wrapper', 'train_cfg'):
        assert plain(copy[key]) == plain(original[key]), key


def test_a_copy_replaces_no_file(tmp_path):
    """Of a file that exists: an error; --out gives another name."""
    (tmp_path / 'tcnn_mobilenetv2_voc07.py').write_text('')
    with pytest.raises(UserError, match='exists already'):
        run_command('configs', 'copy', 'tcnn_mobilenetv2_voc07')
    run_command('configs', 'copy', 'tcnn_mobilenetv2_voc07', '--out', 'other.py')
    assert (tmp_path / 'other.py').is_file()


def plain(part):
    """A config as dicts and lists, without the scope that inheriting by package adds."""
    if isinstance(part, dict):
        return {key: plain(value) for key, value in part.items() if key != '_scope_'}
    return [plain(value) for value in part] if isinstance(part, (list, tuple)) else part


@pytest.mark.parametrize('name', [n for n in bundled_configs() if 'faster-rcnn' not in n])
def test_every_full_copy_can_be_read(name):
    """The text of each is Python that mmengine reads to the same model."""
    copy = Config.fromstring(config_text(name, full=True), '.py')
    assert plain(copy.model) == plain(Config.fromfile(bundled_configs()[name]).model)
