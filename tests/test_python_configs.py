"""Configs in pure Python, whose types are classes, work as those whose types are names."""

import json

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tcnn_mm.engine.load_config import load_config
from tests.support.commands import run
from tests.support.python_config import python_config
from tests.support.runs import small_config

OFF = {
    'train_dataloader.num_workers': 0, 'test_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False, 'test_dataloader.persistent_workers': False,
    'log_level': 'INFO',
}  # fmt: skip


def written(folder, name, **options):
    """The cut-down config as it is, and as pure Python; both name one work dir less."""
    init_default_scope('mmpretrain')
    cfg = small_config(folder / 'w', name, epochs=1, **{**OFF, **options})
    for key in ('work_dir', 'experiment_name'):
        cfg.pop(key)
    cfg.dump(str(folder / 'names.py'))
    (folder / 'classes.py').write_text(python_config(Config.fromfile(str(folder / 'names.py'))))
    return cfg


def works(*words, cwd):
    done = run('tcnn', *words, cwd=cwd)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize('name', ['tcnn_minivoc.py', 'tcnn_minivoc_bank.py'])
def test_train_test_resume_predict_and_export(name, tmp_path):
    """Equal figures to those of names; its checkpoint and the copy in the work dir work too."""
    written(tmp_path, name)
    found = {}
    for kind in ('names', 'classes'):
        works('train', f'{kind}.py', '--work-dir', kind, cwd=tmp_path)
        works('test', f'{kind}.py', f'{kind}/epoch_1.pth', '--work-dir', kind, cwd=tmp_path)
        found[kind] = json.loads((tmp_path / kind / 'voc_ap.json').read_text())
    assert found['names'] == found['classes']
    checkpoint = 'classes/epoch_1.pth'
    works('test', 'classes/classes.py', checkpoint, '--work-dir', 'again', cwd=tmp_path)
    assert json.loads((tmp_path / 'again' / 'voc_ap.json').read_text()) == found['names']
    works('export', checkpoint, '--format', 'weights', '--out', 'p.pth', cwd=tmp_path)
    image = next(tmp_path.glob('classes/**/*.png'), None)
    if image:
        works('predict', image, '--checkpoint', 'p.pth', '--out', 'o', cwd=tmp_path)
    options = ['--cfg-options', 'train_cfg.max_epochs=2']
    works('train', 'classes.py', '--work-dir', 'classes', '--resume', *options, cwd=tmp_path)
    assert (tmp_path / 'classes' / 'epoch_2.pth').is_file()


def test_guards_are_added_and_wrong_arguments_found(tmp_path, monkeypatch):
    """The hooks of `tcnn train` once each; a wrong argument of a class is named."""
    for variable in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):
        monkeypatch.setenv(variable, '0')
    written(tmp_path, 'tcnn_minivoc.py')
    cfg = load_config(str(tmp_path / 'classes.py'))
    assert cfg.default_hooks.checkpoint.type == 'tcnn_mm.AtomicCheckpointHook'
    text = (tmp_path / 'classes.py').read_text()
    (tmp_path / 'wrong.py').write_text(text.replace('background_share', 'background_shares'))
    if 'background_share' in text:
        with pytest.raises(Exception, match='background_shares'):
            load_config(str(tmp_path / 'wrong.py'))
