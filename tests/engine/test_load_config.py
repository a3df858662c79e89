"""Configs as commands read them: overrides, work dir, the command that is recorded."""

import os
import re
import shlex
import shutil

import pytest

from tcnn_mm.engine.load_config import load_config, parse_options, typed_command
from tcnn_mm.errors import UserError
from tests.support.commands import config


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """A folder of its own; the variables that `load_config` sets are put back."""
    monkeypatch.chdir(tmp_path)
    for name in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '0')


@pytest.mark.parametrize('value', ["dict(type='M',k=20)", "[dict(type='M',names=[1,2])]", '[1,2'])
def test_an_option_that_is_no_list_is_one_line(value):
    """--cfg-options KEY=dict(…): the key and how dicts are set, not a RecursionError."""
    with pytest.raises(UserError, match=r'--cfg-options model\.x=.*model\.x\.type='):
        parse_options([f'model.x={value}'])
    with pytest.raises(UserError, match='--cfg-options model.x: write KEY=VALUE'):
        parse_options(['model.x'])
    assert parse_options(['a.b=[1.0,2]', 'c=(1,2)']) == {'a.b': [1.0, 2], 'c': (1, 2)}


def test_a_bundled_config_by_name():
    """Its folders come from the environment, its work dir from its name; overrides are set."""
    os.environ['TCNN_DATA'] = 'somewhere'
    cfg = load_config('tcnn_voc07', cfg_options=['model.head.dropout=0.3'])
    assert cfg.train_dataloader.dataset.data_root.startswith(os.path.abspath('somewhere'))
    assert cfg.work_dir == os.path.join('work_dirs', 'tcnn_voc07')
    assert cfg.model.head.dropout == 0.3 and cfg.launcher == 'none'
    assert load_config('tcnn_voc07', work_dir='w').work_dir == 'w'


@pytest.mark.parametrize('option', ['val_dataloader.num_workers=0', 'custom_hooks.99.type=A'])
def test_an_option_inside_no_dict_is_one_line(option):
    """A key below None, and behind the end of a list: the option is named."""
    with pytest.raises(UserError, match=f'--cfg-options {option.partition("=")[0]}: an entry'):
        load_config('tcnn_minivoc', cfg_options=[option])


def test_server_needs_a_server_part():
    """--server of a config without one is an error that names both."""
    with pytest.raises(UserError, match='--server: tcnn_minivoc has no `server` part'):
        load_config('tcnn_minivoc', server=True)


def test_the_command_is_recorded_as_it_is_typed():
    """The console command by its name, wherever it is installed; a script with python."""
    assert typed_command(['/venv/bin/tcnn', 'train', 'my c.py']) == "tcnn train 'my c.py'"
    assert typed_command(['tools/train.py', 'c.py']) == 'python tools/train.py c.py'


def test_a_copied_run_does_not_write_into_the_original(tmp_path, monkeypatch):
    """The config of a run, elsewhere: an error whose two commands work; in its place it runs."""
    folder = tmp_path / "it's" / 'run'
    folder.mkdir(parents=True)
    cfg = load_config(config('tcnn_minivoc.py'), work_dir=str(folder))
    cfg.dump(folder / 'tcnn_minivoc.py')
    assert load_config(str(folder / 'tcnn_minivoc.py')).work_dir == str(folder)
    shutil.copytree(folder, tmp_path / 'my copy')
    path = str(tmp_path / 'my copy' / 'tcnn_minivoc.py')
    with pytest.raises(UserError, match=r"the config of a run in .*it's/run, copied") as refused:
        load_config(path)
    commands = [shlex.split(each) for each in re.findall(r'tcnn train [^;]*', str(refused.value))]
    for command, place in zip(commands, (tmp_path / 'my copy', folder), strict=True):
        if command[-1] == 'or':
            command.pop()
        assert command == ['tcnn', 'train', path, '--work-dir', str(place)]
        assert load_config(path, work_dir=command[4]).work_dir == str(place)


def test_a_copied_fit_does_not_write_into_the_original(tmp_path):
    """The config of `tcnn fit`, whose run is a folder beside it."""
    (tmp_path / 'copy').mkdir()
    for place in (tmp_path, tmp_path / 'copy'):
        (place / 'config.py').write_text(
            "_base_ = 'tcnn_mm::_base_/../tcnn_minivoc.py'\ndecisions = [('Data', 'x')]\n"
            f'work_dir = {str(tmp_path / "run")!r}\n'
        )
    assert load_config(str(tmp_path / 'config.py')).work_dir == str(tmp_path / 'run')
    with pytest.raises(UserError, match=rf'--work-dir {tmp_path}/copy/run; or'):
        load_config(str(tmp_path / 'copy' / 'config.py'))
