"""The commands from an installed wheel, in a folder without a clone."""

import json
import zipfile

import pytest

import tcnn_mm
from tests.support.installed_wheel import build_wheel, install_wheel
from tests.support.own_data import write_voc

# A training that takes seconds.
SMALL = [
    '--cfg-options', 'train_cfg.max_epochs=2', 'param_scheduler.milestones=[1]',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=8',
    'model.sampler.grid.scales=[1.0,2.0]', 'log_level=WARNING',
]  # fmt: skip


ESTIMATOR = """\
import numpy as np
import tcnn_mm
random = np.random.default_rng(0)
images = [random.integers(0, 99, (64, 64, 3), dtype=np.uint8) for _ in range(8)]
for image in images[::2]:
    image[16:48, 16:48] = (220, 40, 40)
model = tcnn_mm.PatchVotingClassifier('minivoc', scales=[1, 2], epochs=30)
model.fit(images, ['red', 'none'] * 4)
model.save('model.pth')
print(tcnn_mm.load('model.pth').predict(images[:2]).tolist(), tcnn_mm.__file__)
"""


# What imports torch, in one process: 4 s of imports a command otherwise.
COMMANDS = """\
import contextlib, sys
from tcnn_mm.cli.main import main
main(['env'])
main(['check', 'mine'])
with contextlib.redirect_stderr(sys.stdout), contextlib.suppress(SystemExit):
    main(['train', 'nothing'])
"""


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel's file."""
    return build_wheel(tmp_path_factory.mktemp('build'))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """The wheel in an environment of its own."""
    return install_wheel(wheel, tmp_path_factory.mktemp('wheel'))


@pytest.fixture
def run(installed, tmp_path):
    """Run a program of the environment in an empty folder; returns what it prints."""

    def call(*words):
        done = installed.run(*words, cwd=tmp_path, TCNN_CACHE=str(tmp_path / 'cache'))
        assert done.returncode == 0, (words, done.stdout[-1500:], done.stderr[-3000:])
        return done.stdout

    return call


def test_the_wheel_carries_configs_tools_and_weights(wheel):
    """What the commands read: configs with their lists, tools, index, weights, templates."""
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert {
        'tcnn_mm/.mim/model-index.yml', 'tcnn_mm/.mim/configs/tcnn_voc07.py',
        'tcnn_mm/.mim/configs/_base_/experiments/tcnn_minivoc.py', 'tcnn_mm/.mim/tools/train.py',
        'tcnn_mm/.mim/configs/_base_/datasets/source_classes/1512.txt',
        'tcnn_mm/models/weights/minivoc_source.pth', 'tcnn_mm/py.typed',
    } <= names  # fmt: skip
    assert not any('test' in name.split('/')[0] for name in names)


def test_light_commands(run, installed, tmp_path):
    """Version, help, configs, env and check run from the wheel's own files."""
    assert run('tcnn', '--version') == f'tcnn_mm {tcnn_mm.__version__}\n'
    assert 'mixing/tcnn_mobilenetv2_voc07' in run('tcnn', 'configs', 'list')
    run('tcnn', 'configs', 'copy', 'tcnn_voc07')
    assert (tmp_path / 'tcnn_voc07.py').is_file()
    write_voc(tmp_path / 'mine')
    printed = run('python', '-c', COMMANDS)
    assert f'in {installed.site}' in printed and 'blue' in printed
    assert 'error: no config: nothing' in printed


@pytest.mark.slow
def test_fit_predict_and_report(run, tmp_path):
    """From drawn VOC data to predictions and a page."""
    write_voc(tmp_path / 'mine', count=24)
    printed = run('tcnn', 'fit', 'mine', '--backbone', 'minivoc', '--out', 'fits')
    assert 'tcnn predict' in printed
    checkpoint = (tmp_path / 'fits' / 'run' / 'last_checkpoint').read_text()
    images = tmp_path / 'mine' / 'JPEGImages'
    run('tcnn', 'predict', images, '--checkpoint', checkpoint, '--out', 'named')
    assert json.loads((tmp_path / 'named' / 'predictions.json').read_text())['classes']
    run('tcnn', 'report', tmp_path / 'fits' / 'run', '--out', 'page.html')
    assert (tmp_path / 'page.html').stat().st_size > 10_000


@pytest.mark.slow
def test_train_test_export_and_copies(run, tmp_path):
    """A bundled config by name, its test, its export, and a copy of it that trains."""
    run('tcnn', 'train', 'tcnn_minivoc', *SMALL)
    checkpoint = tmp_path / 'work_dirs' / 'tcnn_minivoc' / 'epoch_2.pth'
    run('tcnn', 'test', 'tcnn_minivoc', checkpoint, *SMALL)
    assert json.loads((checkpoint.parent / 'voc_ap.json').read_text())
    pytest.importorskip('onnxscript')
    run('tcnn', 'export', checkpoint, '--out', 'patch.onnx')
    run('tcnn', 'export', checkpoint, '--format', 'weights', '--out', 'model.pth')
    assert (tmp_path / 'patch.onnx').is_file() and (tmp_path / 'model.pth').is_file()
    run('tcnn', 'configs', 'copy', 'tcnn_minivoc', '--out', 'mine.py')
    run('tcnn', 'train', 'mine.py', *SMALL)
    assert (tmp_path / 'work_dirs' / 'mine' / 'epoch_2.pth').is_file()


@pytest.mark.slow
def test_demo(run, tmp_path):
    """`tcnn demo`, shortened: results are printed, maps are drawn."""
    assert 'voc10 mAP' in run('tcnn', 'demo', *SMALL)
    assert list((tmp_path / 'work_dirs' / 'demo' / 'score_maps').glob('*.png'))


@pytest.mark.slow
def test_the_estimator_in_ten_lines(run, installed, tmp_path):
    """Fitted, saved, loaded and right, by the wheel's own files."""
    (tmp_path / 'script.py').write_text(ESTIMATOR)
    last = run('python', 'script.py').splitlines()[-1]
    assert last.startswith("['red', 'none']") and str(installed.site) in last
