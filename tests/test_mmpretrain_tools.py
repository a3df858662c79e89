"""mmpretrain's own tools, which travel in its installed package, on a config of ours."""

import json
import shutil
from pathlib import Path

import mmpretrain
import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tests.support.runs import CONFIGS, assert_same_state
from tests.support.toolbox_process import run_script

pytestmark = pytest.mark.slow

ROOT = str(Path(__file__).resolve().parents[1])
TOOLS = Path(mmpretrain.__file__).parent / '.mim' / 'tools'
CONFIG = str(Path(CONFIGS, 'tcnn_minivoc.py'))
# As `python TOOL ARGUMENTS…` would run it; nothing of ours is imported before.
SCRIPT = f"""
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path[:0] = [os.path.dirname(sys.argv[0]), {ROOT!r}]
runpy.run_path(sys.argv[0], run_name='__main__')
"""
OPTIONS = [
    '--cfg-options', 'train_cfg.max_epochs=2', 'param_scheduler.milestones=[1]',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=8',
    'train_dataloader.batch_size=4', 'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False', 'model.sampler.grid.scales=[1.0,2.0]',
    'default_hooks.checkpoint.interval=1', 'default_hooks.checkpoint.max_keep_ckpts=-1',
    'default_hooks.logger.interval=1',
]  # fmt: skip


def tool(name, *arguments, cwd):
    """Run a tool of mmpretrain; returns what it printed."""
    done = run_script(SCRIPT, str(TOOLS / name), *map(str, arguments), cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Work dir `w` of two epochs by train.py, and its test by test.py in `t`, with t.pkl."""
    folder = tmp_path_factory.mktemp('tools')
    tool('train.py', CONFIG, '--work-dir', 'w', *OPTIONS, cwd=folder)
    tested = ('w/epoch_2.pth', '--work-dir', 't', '--out', 't.pkl')
    tool('test.py', CONFIG, *tested, *OPTIONS, cwd=folder)
    return folder


def test_results_of_a_test(folder):
    """test.py writes what `tcnn test` writes; images of both orientations are in its batches."""
    voc10, *_ = json.loads((folder / 't' / 'voc_ap.json').read_text())
    assert voc10['metric'] == 'voc10' and voc10['images'] == 8 and 0 < voc10['mAP'] <= 1
    assert (folder / 't' / 'image_scores.csv').is_file()


def test_resume(folder):
    """`train.py --resume` takes the newest whole checkpoint and ends bit-equal."""
    work_dir = folder / 'resumed'
    work_dir.mkdir()
    shutil.copy(folder / 'w' / 'epoch_1.pth', work_dir)
    (work_dir / 'epoch_2.pth').write_bytes(b'')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_2.pth'))
    text = tool('train.py', CONFIG, '--work-dir', work_dir, '--resume', *OPTIONS, cwd=folder)
    assert 'resume: skipped' in text
    first, second = (load_safely(f / 'epoch_2.pth') for f in (folder / 'w', work_dir))
    assert_same_state(first['state_dict'], second['state_dict'])
    assert_same_state(first['optimizer']['state'], second['optimizer']['state'])


class Bomb:
    """Would make a folder when unpickled."""

    def __reduce__(self):
        import os

        return os.mkdir, ('exploded',)


@pytest.mark.parametrize(
    'name, arguments', [('test.py', ['bomb.pth']), ('train.py', ['--resume', 'bomb.pth'])]
)
def test_a_checkpoint_is_read_as_data(name, arguments, folder):
    """mmengine's own loader would run the code in it."""
    torch.save(dict(state_dict={}, extra=Bomb()), folder / 'bomb.pth')
    options = ['--work-dir', 'b', *OPTIONS]
    script = str(TOOLS / name)
    done = run_script(SCRIPT, script, CONFIG, *arguments, *options, cwd=folder)
    assert done.returncode and 'not a weights-only file' in done.stderr
    assert not (folder / 'exploded').exists()


def log(folder):
    """Path of the training's scalars."""
    (path,) = (folder / 'w').glob('*/vis_data/scalars.json')
    return path


@pytest.mark.parametrize('task', [['cal_train_time'], ['plot_curve', '--keys', 'loss', '--out']])
def test_analyze_logs(task, folder):
    """Times and curves of a training's log."""
    out = ['loss.png'] if task[-1] == '--out' else []
    tool('analysis_tools/analyze_logs.py', task[0], log(folder), *task[1:], *out, cwd=folder)
    assert not out or (folder / 'loss.png').is_file()


def test_get_flops(folder):
    """Of the network on one patch."""
    text = tool('analysis_tools/get_flops.py', CONFIG, '--shape', '64', cwd=folder)
    assert 'Flops: 16.3' in text and 'Params: 0.563M' in text


def test_print_config(folder):
    """The whole config."""
    assert 'tcnn_mm.PatchClassifier' in tool('misc/print_config.py', CONFIG, cwd=folder)


def test_browse_dataset(folder):
    """The images as they are read."""
    options = ['--output-dir', 'browse', '--not-show', '--mode', 'original', '-n', '2']
    tool('visualization/browse_dataset.py', CONFIG, *options, *OPTIONS, cwd=folder)
    assert len(list((folder / 'browse').iterdir())) == 2


def test_vis_scheduler(folder):
    """The learning rate, without hooks that ask its mock of a data set."""
    options = ['--save-path', 'lr.png', '--not-show']
    hooks = [*OPTIONS, 'custom_hooks=[]']
    tool('visualization/vis_scheduler.py', CONFIG, *options, *hooks, cwd=folder)
    assert (folder / 'lr.png').is_file()
