"""Fixtures that tests of several folders share.

What is heavy is imported by the fixture: the process that hands out the tests needs none of it.
"""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

# A process that is forked where OpenMP's threads have worked waits for them for ever, and tests
# fork. Read when torch is imported, as the toolbox does.
os.environ['OMP_NUM_THREADS'] = '1'

import numpy as np
import pytest
import yapf.yapflib.yapf_api
from hypothesis import settings
from mmengine.config import Config
from mmengine.logging import MMLogger
from PIL import Image
from tqdm import tqdm

from tests.support.no_network import no_network

FORMAT_CODE = yapf.yapflib.yapf_api.FormatCode
MODULES_PER_FREEZE = 50
# Hypothesis gives an example 0.2 s of the clock, which a full machine exceeds.
settings.register_profile('any machine', deadline=None)
settings.load_profile('any machine')
frozen_modules = 0


def pytest_runtest_setup() -> None:
    """Leave what imports have made out of garbage collections, whenever there is much more of it.

    mmengine collects garbage for each data set that it builds: 0.3 s with the toolbox imported.
    """
    global frozen_modules
    if len(sys.modules) - frozen_modules > MODULES_PER_FREEZE:
        gc.collect()
        gc.freeze()
        frozen_modules = len(sys.modules)


@pytest.fixture(scope='session', autouse=True)
def refused_hosts() -> Iterator[list[str]]:
    """Hosts of the network that a test reached for; it fails, here and in its own threads."""
    with no_network() as refused:
        yield refused


@pytest.fixture(autouse=True)
def stays_offline(refused_hosts: list[str]) -> Iterator[None]:
    """Fail a test whose thread, or caught error, hid that it reached for the network."""
    yield
    reached = refused_hosts.copy()
    refused_hosts.clear()
    assert not reached, reached


@pytest.fixture(scope='session', autouse=True)
def unformatted_configs() -> Iterator[None]:
    """Skip yapf where mmengine writes a config: it takes 3/4 of the time of a short run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf.yapflib.yapf_api, 'FormatCode', lambda text, **options: (text, True))
        yield


@pytest.fixture(scope='session', autouse=True)
def session_log() -> None:
    """Make mmengine's default logger now: one that a test of the output makes ends with it, and
    each later message is an error on a closed stream."""
    MMLogger.get_current_instance()


@pytest.fixture(scope='session', autouse=True)
def no_monitor_of_bars() -> None:
    """Start no thread of tqdm: a process that is forked while it holds tqdm's lock hangs."""
    tqdm.monitor_interval = 0


@pytest.fixture
def formatted_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write configs as mmengine does, with yapf."""
    monkeypatch.setattr(yapf.yapflib.yapf_api, 'FormatCode', FORMAT_CODE)


@pytest.fixture
def half_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take bfloat16 for native, whatever this processor has: small networks bear its emulation."""
    from tcnn_mm.models.encoder import frozen

    monkeypatch.setattr(frozen, 'is_native', lambda dtype, device_type: True)


@pytest.fixture(scope='session')
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One training of two epochs and one test on 12 images, never written to.

    Attributes: `folder` (the work dir), `checkpoint` (epoch_2.pth, loaded), `metrics` (of the test)
    and `config`, which makes its config again for another folder.
    """
    from tests.support.runs import small_config, test, train

    folder = tmp_path_factory.mktemp('run')
    options = {
        'log_level': 'INFO',
        'default_hooks.logger.interval': 1,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    }

    def config(work_dir: Path = folder, **more: object) -> Config:
        return small_config(work_dir, **{**options, **more})

    checkpoint = train(config())
    metrics = test(config(), folder / 'epoch_2.pth')
    return SimpleNamespace(folder=folder, checkpoint=checkpoint, metrics=metrics, config=config)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A checkpoint, and a folder with two images of one name and a broken one."""
    from tests.support.small_checkpoint import write_small_checkpoint

    monkeypatch.chdir(tmp_path)
    write_small_checkpoint(tmp_path / 'a.pth')
    random = np.random.default_rng(0)
    for name in ('in/a.png', 'in/b/a.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (60, 80, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / 'in' / 'z.jpg').write_bytes(b'no image')
    return tmp_path
