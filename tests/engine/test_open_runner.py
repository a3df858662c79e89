"""A Runner leaves nothing open: log files, workers and named instances end with its block."""

import gc
from pathlib import Path

import psutil
import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.visualization import ScoreMapVisualizer
from tests.support.tiny_run import tiny_config


def logs(folder: Path) -> list[str]:
    """Open log files of a work dir."""
    files = (file.path for file in psutil.Process().open_files())
    return [path for path in files if path.startswith(str(folder)) and path.endswith('.log')]


def figures() -> int:
    """Figures of matplotlib that are alive: a visualizer has two."""
    from matplotlib.figure import Figure

    gc.collect()
    return sum(isinstance(each, Figure) for each in gc.get_objects())


def test_runs_leave_no_log_open_and_no_instance(tmp_path):
    """Of three runs no log file stays open, and neither logger, hub, visualizer nor figure."""
    before = None
    for at in range(3):
        cfg = tiny_config(tmp_path / str(at), epochs=1)
        cfg.visualizer = dict(type='tcnn_mm.ScoreMapVisualizer', name=f'drawn_{tmp_path.name}_{at}')
        with open_runner(cfg) as runner:
            runner.train()
            assert len(logs(tmp_path)) == 1
            visualizer = runner.visualizer.instance_name
        assert logs(tmp_path) == []
        for kept in (MMLogger, MessageHub, DefaultScope):
            assert runner.experiment_name not in kept._instance_dict
        for kept in (Visualizer, ScoreMapVisualizer):
            assert visualizer not in kept._instance_dict
        assert (tmp_path / str(at) / runner.timestamp / f'{runner.timestamp}.log').is_file()
        del runner
        before = figures() if before is None else before
        assert figures() == before


def test_a_run_that_fails_leaves_nothing_either(tmp_path):
    """The error passes, and the log file is closed; a run before it is as it was."""
    outer = Runner.from_cfg(tiny_config(tmp_path / 'outer', epochs=1))
    with pytest.raises(ZeroDivisionError), open_runner(tiny_config(tmp_path / 'in')) as runner:
        runner.train()
        raise ZeroDivisionError
    assert runner.experiment_name not in MMLogger._instance_dict
    (log,) = logs(tmp_path)
    assert Path(log).parts[-3] == 'outer'
    assert MMLogger.get_current_instance() is outer.logger
    for handler in outer.logger.handlers[:]:
        handler.close()
