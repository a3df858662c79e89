"""Configs in pure Python, whose types are classes, work as those whose types are names."""

import json

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from tcnn_mm.engine.load_config import load_config
from tcnn_mm.errors import UserError
from tests.support.commands import run
from tests.support.python_config import python_config
from tests.support.runs import small_config

OFF = {
    'train_dataloader.num_workers': 0, 'test_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False, 'test_dataloader.persistent_workers': False,
    'log_level': 'INFO',
}  # fmt: skip


def written(folder, name, **options):
    """Write the cut-down config as it is, and as pure Python."""
    init_default_scope('mmpretrain')
    cfg = small_config(folder / 'w', name, epochs=1, **{**OFF, **options})
    for key in ('work_dir', 'experiment_name'):
        cfg.pop(key)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        if 'source' in loader.dataset:
            loader.dataset.source.indices = loader.dataset.pop('indices')
            loader.pop('prefetch_factor', None)
    cfg.dump(str(folder / 'names.py'))
    (folder / 'classes.py').write_text(python_config(Config.fromfile(str(folder / 'names.py'))))


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
    Image.new('RGB', (80, 60)).save(tmp_path / 'a.png')
    works('predict', 'a.png', '--checkpoint', 'p.pth', '--out', 'o', cwd=tmp_path)
    options = ['--cfg-options', 'train_cfg.max_epochs=2']
    works('train', 'classes.py', '--work-dir', 'classes', '--resume', *options, cwd=tmp_path)
    assert (tmp_path / 'classes' / 'epoch_2.pth').is_file()


def test_guards_are_added_and_wrong_arguments_found(tmp_path, monkeypatch):
    """The hooks of `tcnn train` once each; a wrong argument of a class is named."""
    for variable in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):
        monkeypatch.setenv(variable, '0')
    written(tmp_path, 'tcnn_minivoc.py')
    text = (tmp_path / 'classes.py').read_text()
    ours = 'from tcnn_mm.engine.atomic_checkpoint import AtomicCheckpointHook'
    assert ours in text
    theirs = 'from mmengine.hooks import CheckpointHook as AtomicCheckpointHook'
    (tmp_path / 'classes.py').write_text(text.replace(ours, theirs))
    cfg = load_config(str(tmp_path / 'classes.py'))
    assert cfg.default_hooks.checkpoint.type == 'tcnn_mm.AtomicCheckpointHook'
    guards = [hook for hook in cfg.custom_hooks if 'StrictCheckpoint' in str(hook['type'])]
    assert len(guards) == 1
    (tmp_path / 'wrong.py').write_text(text.replace('type=PatchGrid', 'type=PatchGrid, scale=1'))
    with pytest.raises(UserError, match=r'model.sampler.grid.scale: PatchGrid has no such arg'):
        load_config(str(tmp_path / 'wrong.py'))
