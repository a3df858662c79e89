"""`tcnn train` and `tcnn test`: what they print, what they leave, how they fail."""

import numpy as np
import pytest
import torch

from tests.support.commands import config, run, run_fresh
from tests.support.voc_folder import write_voc_folder

SMALL = [
    'train_cfg.max_epochs=1', 'param_scheduler.milestones=[1]', 'train_dataloader.batch_size=4',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=8',
    'model.sampler.grid.scales=[1.0,2.0]',
]  # fmt: skip


def test_train_test_and_results_from_another_directory(tmp_path):
    """train, then test with maps, then the printed table: from a folder that is not the clone."""
    done = run_fresh(
        'train.py',
        config('tcnn_minivoc.py'),
        '--work-dir',
        'w',
        '--cfg-options',
        *SMALL,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'accuracy on object patches' in done.stdout and 'patch coverage' in done.stdout
    done = run(
        'test.py',
        config('tcnn_minivoc.py'),
        'w/epoch_1.pth',
        '--work-dir',
        'w',
        '--show-dir',
        'maps',
        '--cfg-options',
        *SMALL,
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list((tmp_path / 'w' / 'maps').glob('*.png'))) == 8
    done = run('print_results.py', 'w', cwd=tmp_path)
    assert done.returncode == 0 and 'voc10 mAP' in done.stdout and 'on 8 images' in done.stdout


def test_missing_data_is_three_lines(tmp_path):
    """No VOC: what is missing, where it was looked for, the command that helps; no traceback."""
    done = run(
        'tcnn', 'train', config('tcnn_voc07.py'), cwd=tmp_path, TCNN_DATA=str(tmp_path / 'no')
    )
    lines = done.stderr.strip().splitlines()[-3:]
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert lines[0].startswith('error: ') and str(tmp_path / 'no') in lines[1]
    assert 'tcnn check' in lines[2]


def test_missing_weights_are_three_lines(tmp_path):
    """No weights: the file, the folder, the variable; no traceback."""
    box = dict(name='dog', box=(1, 1, 60, 60))
    image = np.zeros((80, 90, 3), np.uint8)
    splits = dict(trainval=['a'], test=['a'])
    write_voc_folder(tmp_path / 'VOCdevkit' / 'VOC2007', {'a': (image, [box])}, splits)
    done = run(
        'tcnn',
        'train',
        config('tcnn_voc07.py'),
        cwd=tmp_path,
        TCNN_DATA=str(tmp_path),
        TCNN_WEIGHTS=str(tmp_path / 'none'),
    )
    lines = done.stderr.strip().splitlines()[-3:]
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert (
        'alexnet' in lines[0] and str(tmp_path / 'none') in lines[1] and 'TCNN_WEIGHTS' in lines[2]
    )


def test_an_empty_variable_is_named(tmp_path):
    """TCNN_DATA='' is a mistake that mmengine would report obscurely."""
    done = run('tcnn', 'train', config('tcnn_voc07.py'), cwd=tmp_path, TCNN_DATA='')
    assert done.returncode == 1 and 'TCNN_DATA is set but empty' in done.stderr


def test_a_truncated_image_ends_a_run_in_one_line(tmp_path):
    """Out of a worker process comes one line that names the file; the checkpoint before stays."""
    root = tmp_path / 'set'
    random = np.random.default_rng(0)
    images = {
        name: (random.integers(0, 255, (80, 90, 3), np.uint8), [dict(name='x', box=(1, 1, 60, 60))])
        for name in 'abcdefgh'
    }
    write_voc_folder(root, images, dict(train=list('abcdefgh'), test=list('abcdefgh')), '.jpg')
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(
        f"_base_ = '{config('_base_/experiments/tcnn_minivoc.py')}'\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='tcnn_mm.VOCObjects', "
        f"data_root='{root}', split='train', metainfo=dict(classes=('x',)), "
        'pipeline={{_base_.pipeline}}))\n'
        'model = dict(head=dict(num_classes=1))\n'
        'default_hooks = dict(checkpoint=dict(interval=1))\n'
    )
    options = SMALL[:3]
    done = run('tcnn', 'train', leaf, '--work-dir', 'w', '--cfg-options', *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    path = root / 'JPEGImages' / 'e.jpg'
    path.write_bytes(path.read_bytes()[:-600])
    done = run(
        'tcnn',
        'train',
        leaf,
        '--work-dir',
        'w',
        '--resume',
        '--cfg-options',
        'train_cfg.max_epochs=2',
        *options[1:],
        cwd=tmp_path,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and last.startswith('error: ') and str(path) in last
    assert 'Traceback' not in done.stderr and (tmp_path / 'w' / 'epoch_1.pth').is_file()


def test_no_such_config(tmp_path):
    """A mistyped config is named with the place where it was looked for."""
    done = run('tcnn', 'train', 'configs/nothing.py', cwd=tmp_path)
    assert done.returncode == 1 and str(tmp_path / 'configs' / 'nothing.py') in done.stderr


def test_configs_inherit_from_anywhere(tmp_path):
    """`_base_ = 'tcnn_mm::…'` in somebody else's folder trains, by the toolbox's own syntax."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'tcnn_mm::_base_/experiments/tcnn_minivoc.py'\ntrain_cfg = dict(max_epochs=1)\n"
    )
    done = run('tcnn', 'train', 'mine.py', '--cfg-options', *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'work_dirs' / 'mine' / 'epoch_1.pth').is_file()


def test_amp_on_a_cpu_is_bfloat16_of_the_frozen_layers(tmp_path):
    """--amp runs without a GPU: no scaler, the frozen part in bfloat16."""
    if torch.cuda.is_available():
        pytest.skip('this is about machines without a GPU')
    done = run(
        'tcnn', 'train', 'tcnn_minivoc', '--amp', '--work-dir', 'w', '--cfg-options', *SMALL,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "frozen_dtype='bfloat16'" in done.stdout
