"""Values of a config are what is written: folders of any name, copies that a run has made."""

import os

import pytest
from mmengine.config import Config

from tcnn_mm.engine.load_config import load_config
from tcnn_mm.engine.read_config import read_config
from tcnn_mm.errors import UserError

FOLDERS = ["it's", 'a "b"', 'back\\slash', '{{$A:b}}', 'line\nend', "r'\\n", 'é ü', 'plain']


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """A folder of its own; the variables that `load_config` sets are put back."""
    monkeypatch.chdir(tmp_path)
    for name in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '0')


@pytest.mark.parametrize('name', FOLDERS)
def test_folders_of_any_name(name, tmp_path, monkeypatch):
    """TCNN_DATA, TCNN_WEIGHTS and the current folder may hold quotes, backslashes and braces."""
    place = tmp_path / name
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv('TCNN_DATA', name)
    monkeypatch.delenv('TCNN_WEIGHTS')
    (place / 'mine.py').write_text("_base_ = 'tcnn_mm::_base_/../tcnn_voc07.py'\n")
    cfg = load_config('mine.py')
    root = os.path.join(str(place), name, 'VOCdevkit', 'VOC2007')
    assert cfg.train_dataloader.dataset.data_root == root
    assert cfg.model.pretrained.startswith(os.path.join(str(place), 'checkpoints', ''))
    assert cfg.test_dataloader.dataset.data_root == root
    assert 'tcnn_mm_' not in cfg.pretty_text


def test_the_copy_of_a_run_reads_back_equal(tmp_path, monkeypatch):
    """`{{ … }}` in a name is not replaced once more; a config without `command` is a source."""
    monkeypatch.setenv('A', 'replaced')
    cfg = Config(
        dict(command='tcnn train a.py', work_dir='w', classes=('{{$A:b}}', '{{ fileBasename }}'))
    )
    cfg.dump(str(tmp_path / 'config.py'))
    assert read_config(str(tmp_path / 'config.py')).to_dict() == cfg.to_dict()
    (tmp_path / 'source.py').write_text("classes = ('{{$A:b}}',)\n")
    assert read_config(str(tmp_path / 'source.py')).classes == ('replaced',)


@pytest.mark.parametrize(
    'text, said',
    [
        ('a = 1\nb = c\n', "line 2: NameError: name 'c' is not defined"),
        ('a = (\n', 'SyntaxError'),
        ('a = 1 / 0\n', 'line 1: ZeroDivisionError'),
        ("_base_ = 'none.py'\n", 'none.py'),
        ("_base_ = 'tcnn_mm::tcnn_voc07.py'\n", r"_base_ = 'tcnn_mm::_base_/../NAME.py'"),
        ("_base_ = 'tcnn_mm::_base_/../tcnn_voc07.py'\nmodel = [1]\nmodel.x = 2\n", 'line 3'),
    ],
)
def test_what_a_config_does_wrong_is_one_line(text, said, tmp_path):
    """The file, the line where it is known, Python's reason."""
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(UserError, match='^.*mine.py: cannot be read as a config: ') as error:
        read_config(str(tmp_path / 'mine.py'))
    assert said in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize('loader', ['train', 'test'])
def test_no_workers(loader):
    """`num_workers=0` alone is enough: what torch refuses beside it is left out."""
    key = f'{loader}_dataloader'
    options = [f'{key}.num_workers=0', f'{key}.persistent_workers=True', f'{key}.prefetch_factor=4']
    cfg = load_config('tcnn_minivoc', cfg_options=options)
    assert cfg[key].persistent_workers is False and 'prefetch_factor' not in cfg[key]
