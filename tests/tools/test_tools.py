"""The commands as a user types them: what they print, what they leave, how they fail."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.commands import ROOT, config, run, run_fresh
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
    done = run_fresh(
        'test.py',
        config('tcnn_minivoc.py'),
        'w/epoch_1.pth',
        '--work-dir',
        'w',
        '--show-dir',
        'maps',
        '--cfg-options',
        *SMALL,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list((tmp_path / 'w' / 'maps').glob('*.png'))) == 8
    done = run_fresh('print_results.py', 'w', cwd=tmp_path)
    assert done.returncode == 0 and 'voc10 mAP' in done.stdout and 'on 8 images' in done.stdout


def test_missing_data_is_three_lines(tmp_path):
    """No VOC: what is missing, where it was looked for, the command that helps; no traceback."""
    done = run('train.py', config('tcnn_voc07.py'), cwd=tmp_path, TCNN_DATA=str(tmp_path / 'no'))
    lines = done.stderr.strip().splitlines()[-3:]
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert lines[0].startswith('error: ') and str(tmp_path / 'no') in lines[1]
    assert 'tcnn check' in lines[2]


def test_missing_weights_are_three_lines(tmp_path):
    """No weights: the file, the folder, the variable; no traceback."""
    box = dict(name='dog', box=(1, 1, 60, 60))
    picture = np.zeros((80, 90, 3), np.uint8)
    splits = dict(trainval=['a'], test=['a'])
    write_voc_folder(tmp_path / 'VOCdevkit' / 'VOC2007', {'a': (picture, [box])}, splits)
    done = run(
        'train.py',
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
    done = run('train.py', config('tcnn_voc07.py'), cwd=tmp_path, TCNN_DATA='')
    assert done.returncode == 1 and 'TCNN_DATA is set but empty' in done.stderr


def test_a_truncated_picture_ends_a_run_in_one_line(tmp_path):
    """Out of a worker process comes one line that names the file; the checkpoint before stays."""
    root = tmp_path / 'set'
    random = np.random.default_rng(0)
    pictures = {
        name: (random.integers(0, 255, (80, 90, 3), np.uint8), [dict(name='x', box=(1, 1, 60, 60))])
        for name in 'abcdefgh'
    }
    write_voc_folder(root, pictures, dict(train=list('abcdefgh'), test=list('abcdefgh')), '.jpg')
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
    done = run('train.py', leaf, '--work-dir', 'w', '--cfg-options', *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    path = root / 'JPEGImages' / 'e.jpg'
    path.write_bytes(path.read_bytes()[:-600])
    done = run(
        'train.py',
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
    done = run('train.py', 'configs/nothing.py', cwd=tmp_path)
    assert done.returncode == 1 and str(tmp_path / 'configs' / 'nothing.py') in done.stderr


def test_browse_patches_draws_and_reports(tmp_path):
    """One picture an image with patches in it; --coverage prints the table instead."""
    done = run(
        'browse_patches.py', config('tcnn_minivoc.py'), '--out', 'p', '--limit', 2, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    pictures = sorted((tmp_path / 'p').glob('*.png'))
    assert len(pictures) == 2 and 'patches in the grid' in done.stdout
    pixels = np.asarray(Image.open(pictures[0])).reshape(-1, 3)
    for color in ((40, 200, 60), (230, 50, 40), (255, 255, 255)):
        assert (pixels == color).all(1).any(), color
    done = run('browse_patches.py', config('tcnn_minivoc.py'), '--coverage', cwd=tmp_path)
    assert (
        done.returncode == 0
        and 'never named' in done.stdout
        and not (tmp_path / 'patches').exists()
    )


def test_browse_patches_of_persons(tmp_path):
    """Actions: one picture a person with its square."""
    persons = draw_persons(0, 6)
    root = tmp_path / 'VOCdevkit' / 'VOC2012'
    write_action_folder(root, persons, dict(train=list(persons)), class_files=False)
    done = run(
        'browse_patches.py', config('tcnn_voc12_action.py'), '--out', 'p', '--cfg-options',
        'model.backbone.fc_channels=64', 'model.head.in_channels=64',
        cwd=tmp_path, TCNN_DATA=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert '1 patches around a person, drawn 1 object + 0 background' in done.stdout
    assert sorted((tmp_path / 'p').glob('2012_*_1.png'))


def test_a_slice_is_a_function_of_its_seed(tmp_path):
    """The same seed draws the same ids, in the list's order; too many is an error."""
    ids = [f'{i:03d}' for i in range(50)]
    picture = (np.zeros((9, 9, 3), np.uint8), [])
    write_voc_folder(tmp_path / 'V', dict.fromkeys(ids, picture), dict(test=ids))
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        done = run(
            'draw_slice.py', 'V', 'test', '--count', 20, '--seed', seed, '--out', name, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
    a, b, c = ((tmp_path / n).read_text().split() for n in 'abc')
    assert a == b != c and a == sorted(a) and len(set(a)) == 20 and set(a) <= set(ids)
    done = run('draw_slice.py', 'V', 'test', '--count', 99, '--out', 'd', cwd=tmp_path)
    assert done.returncode == 1 and '50 images' in done.stderr


def test_no_results_yet(tmp_path):
    """print_results without a test says which command comes first."""
    done = run('print_results.py', 'w', cwd=tmp_path)
    assert done.returncode == 1 and 'tools/test.py' in done.stderr


def test_configs_inherit_from_anywhere(tmp_path):
    """`_base_ = 'tcnn_mm::…'` in somebody else's folder trains, by the toolbox's own syntax."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'tcnn_mm::_base_/experiments/tcnn_minivoc.py'\ntrain_cfg = dict(max_epochs=1)\n"
    )
    done = run('train.py', 'mine.py', '--cfg-options', *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'work_dirs' / 'mine' / 'epoch_1.pth').is_file()


@pytest.mark.slow
def test_configs_inherit_from_a_wheel(tmp_path):
    """A wheel carries configs, tools and the index, as the editable install does."""
    import zipfile

    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', str(tmp_path), ROOT],
        check=True,
    )
    (wheel,) = tmp_path.glob('*.whl')
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        'tcnn_mm/.mim/model-index.yml', 'tcnn_mm/.mim/configs/tcnn_voc07.py',
        'tcnn_mm/.mim/configs/_base_/experiments/tcnn_minivoc.py', 'tcnn_mm/.mim/tools/train.py',
        'tcnn_mm/models/weights/minivoc_source.pth',
    } <= names  # fmt: skip


@pytest.mark.slow
def test_an_installed_wheel_lets_configs_inherit(tmp_path):
    """From a wheel alone, away from the clone: `tcnn_mm::…` resolves and the weights load."""
    pip = [sys.executable, '-m', 'pip']
    subprocess.run([*pip, 'wheel', '-q', '--no-deps', '-w', str(tmp_path), ROOT], check=True)
    (wheel,) = tmp_path.glob('*.whl')
    site = tmp_path / 'site'
    subprocess.run([*pip, 'install', '-q', '--no-deps', '--target', str(site), wheel], check=True)
    script = (
        'import tcnn_mm, sys; assert tcnn_mm.__file__.startswith(sys.argv[1]), tcnn_mm.__file__\n'
        'from mmengine.config import Config\n'
        'from tcnn_mm.checkpoints.loading import load_safely\n'
        "open('m.py', 'w').write(\"_base_ = 'tcnn_mm::_base_/experiments/tcnn_minivoc.py'\")\n"
        "print(Config.fromfile('m.py').model.type)\n"
        "load_safely('tcnn_mm://minivoc_source.pth')\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', script, str(site)], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'tcnn_mm.PatchClassifier' in done.stdout


def test_amp_on_a_cpu_is_bfloat16_of_the_frozen_layers(tmp_path):
    """--amp runs without a GPU: no scaler, the frozen part in bfloat16."""
    import torch

    if torch.cuda.is_available():
        pytest.skip('this is about machines without a GPU')
    done = run(
        'train.py', config('tcnn_minivoc.py'), '--amp', '--work-dir', 'w', '--cfg-options', *SMALL,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "frozen_dtype='bfloat16'" in done.stdout
