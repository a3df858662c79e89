"""Each private name of the toolbox still is what `tcnn_mm.compat` takes it for."""

import concurrent.futures
import fractions
import io
import logging
import os
import pickle

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmengine.visualization import LocalVisBackend, Visualizer

from tcnn_mm import compat
from tcnn_mm.registry import MODELS
from tests.support.toolbox_process import run_script


def test_a_registered_package_can_be_inherited_from():
    """`tcnn_mm::` in `_base_` finds the package's configs; registering twice changes nothing."""
    from mmengine.config.utils import MODULE2PACKAGE

    compat.register_config_package('tcnn_mm')
    assert MODULE2PACKAGE['tcnn_mm'] == 'tcnn_mm.registry'
    assert MODULE2PACKAGE['mmpretrain'] == 'mmpretrain'
    cfg = Config.fromstring("_base_ = 'tcnn_mm::_base_/default_runtime.py'", '.py')
    assert cfg.default_scope == 'mmpretrain'


def test_a_changed_config_dict_changes_the_config():
    """The dict is the config's own, not a copy."""
    cfg = Config(dict(model=dict(type='A')))
    raw = compat.config_dict(cfg)
    raw['model']['type'] = 'B'
    assert cfg.model.type == 'B' and isinstance(raw, dict)


@pytest.mark.parametrize(
    'text, value',
    [
        ('3', 3),
        ('0.5', 0.5),
        ('true', True),
        ('None', None),
        ('word', 'word'),
        ('1,2', [1, 2]),
        ('[1,2.5]', [1, 2.5]),
        ('[(a,1),b]', [('a', 1), 'b']),
    ],
)
def test_option_values_are_mmengines(text, value):
    """Numbers, words and nested lists, with their types."""
    found = compat.parse_option_value(text)
    assert found == value and type(found) is type(value)


def test_a_broken_list_is_refused():
    """Brackets that do not match: an error that names the value."""
    with pytest.raises(ValueError, match=r'\[1,2'):
        compat.parse_option_value('[1,2')


def test_the_last_epoch_can_be_set():
    """`max_epochs` of a train loop of mmengine is the number that was set."""
    loop = object.__new__(EpochBasedTrainLoop)
    compat.set_last_epoch(loop, 7)
    assert loop.max_epochs == 7


def test_the_backends_of_a_visualizer(tmp_path):
    """The objects that `vis_backends` of a config builds, none without."""
    backends = [dict(type='LocalVisBackend', save_dir=str(tmp_path))]
    visualizer = Visualizer(name='compat', vis_backends=backends, save_dir=str(tmp_path))
    (found,) = compat.visualizer_backends(visualizer)
    assert isinstance(found, LocalVisBackend)
    assert found is visualizer.get_backend('LocalVisBackend')
    assert compat.visualizer_backends(Visualizer()) == []


def test_compiled_ops_are_told_as_an_import_tells_them():
    """`has_compiled_ops` and the import of `mmcv.ops` agree, and the error is recognized."""
    try:
        import mmcv.ops  # noqa: F401
    except ImportError as error:
        assert compat.lacks_compiled_ops(error) and not compat.has_compiled_ops()
    else:
        assert compat.has_compiled_ops()
    assert not compat.lacks_compiled_ops(ImportError('other', name='other'))


def test_import_warnings_are_ignored(tmp_path):
    """After the call, mmpretrain's models import without a warning about compiled ops."""
    script = (
        'import sys\n'
        'assert "mmcv.cnn" not in sys.modules\n'
        'from tcnn_mm.compat import ignore_import_warnings\n'
        'ignore_import_warnings()\n'
        'import mmpretrain.models\n'
    )
    done = run_script(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    for message in ('MultiScaleDeformableAttention', 'Line NMS'):
        assert message not in done.stdout + done.stderr


class Sum(BaseModel):
    """A model that mmengine's Runner trains."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x, mode):
        return dict(loss=self.layer(x).sum())


def test_workers_end_with_their_run(tmp_path):
    """Persistent workers of the loop that was used have ended; a loop that was not is no error."""
    data = [dict(x=torch.zeros(1))] * 2
    loader = torch.utils.data.DataLoader(data, num_workers=1, persistent_workers=True)
    optimizer = dict(optimizer=dict(type='SGD', lr=0.1))
    epochs = dict(by_epoch=True, max_epochs=1)
    runner = Runner(
        Sum(), str(tmp_path), loader, train_cfg=epochs, optim_wrapper=optimizer, log_level='ERROR',
        default_scope='mmengine', experiment_name=tmp_path.name,
    )  # fmt: skip
    runner.train()
    (worker,) = loader._iterator._workers
    assert worker.is_alive()
    compat.stop_workers(runner)
    assert worker.exitcode == 0


def test_the_log_is_quiet_inside_the_block_alone():
    """Infos are held back, and the level is restored."""
    logger = MMLogger.get_current_instance()
    before = logger.level
    with compat.quiet_log():
        assert not logger.isEnabledFor(logging.INFO) and logger.isEnabledFor(logging.WARNING)
    assert logger.level == before


@pytest.mark.skipif(not compat.has_free_sizes(), reason='needs torch ≥ 2.8')
def test_free_sizes_admit_a_single_row():
    """A program traced with two rows under `free_sizes` runs on one row."""
    free = torch.export.Dim.DYNAMIC
    with compat.free_sizes(), torch.no_grad():
        program = torch.export.export(
            torch.nn.Linear(3, 2), (torch.zeros(1, 3),), dynamic_shapes=({0: free},)
        )
    for rows in (1, 2):
        assert program.module()(torch.zeros(rows, 3)).shape == (rows, 2)


def test_weights_only_reader_changes_no_state_of_the_process():
    """A type is allowed for this reader alone; torch's own list stays, another type is refused."""
    before = set(torch.serialization.get_safe_globals())
    file = io.BytesIO()
    torch.save(dict(a=fractions.Fraction(1, 2), w=torch.ones(2)), file)
    for allowed in ({'fractions.Fraction': lambda *parts: parts}, {}):
        file.seek(0)
        reader = compat.weights_only_reader(allowed)
        if allowed:
            loaded = torch.load(file, pickle_module=reader, weights_only=False)
            assert loaded['a'] == (1, 2) and loaded['w'].tolist() == [1.0, 1.0]
        else:
            with pytest.raises(pickle.UnpicklingError, match='fractions.Fraction'):
                torch.load(file, pickle_module=reader, weights_only=False)
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize('name', ['os.system', 'evil_package.Thing', 'os', 'torch.nn.Sequential'])
def test_registered_names_only(name, tmp_path, monkeypatch):
    """Other names are neither imported nor found, in this thread, and are again afterwards."""
    (tmp_path / 'evil_package').mkdir()
    (tmp_path / 'evil_package' / '__init__.py').write_text('raise SystemExit(3)')
    monkeypatch.syspath_prepend(tmp_path)
    with compat.registered_names_only():
        assert MODELS.get(name) is None
        assert MODELS.get('tcnn_mm.PatchClassifier') is not None
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            assert pool.submit(MODELS.get, 'torch.nn.Linear').result() is torch.nn.Linear
    assert MODELS.get('os.getcwd') is os.getcwd


def test_registered_scopes():
    """Scopes of the toolboxes that are imported."""
    assert {'mmengine', 'tcnn_mm'} <= compat.registered_scopes()


def test_has_default_loader():
    """mmengine's own reader of files is in its place until another one is registered."""
    from mmengine.runner.checkpoint import CheckpointLoader, load_from_local

    with compat.toolbox_globals():
        CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
        assert compat.has_default_loader()
        CheckpointLoader.register_scheme(prefixes='', loader=print, force=True)
        assert not compat.has_default_loader()


def test_toolbox_globals():
    """Named instances and readers of checkpoints inside are dropped; the host's stay."""
    from mmengine.logging import MessageHub
    from mmengine.runner.checkpoint import CheckpointLoader

    with compat.toolbox_globals():
        MessageHub.get_instance('host').update_info('key', 1)
        with compat.toolbox_globals():
            MessageHub.get_instance('inside')
            CheckpointLoader.register_scheme(prefixes='inside://', loader=print)
        assert not MessageHub.check_instance_created('inside')
        assert MessageHub.get_instance('host').get_info('key') == 1
        # No error: the prefix is free again.
        CheckpointLoader.register_scheme(prefixes='inside://', loader=print)
    assert not MessageHub.check_instance_created('host')
