"""A fit inside another program leaves that program's global state as it was."""

import logging
import os
import random
import warnings

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, init_default_scope

from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.estimator.patch_voting_classifier import PatchVotingClassifier
from tcnn_mm.estimator.process_state import preserved_process_state


def snapshot():
    """What a host program can see of the process."""
    managers = (MMLogger, MessageHub, DefaultScope)
    return dict(
        python=random.getstate(),
        numpy=[np.asarray(part).tolist() for part in np.random.get_state()],
        torch=torch.random.get_rng_state().tolist(),
        environment=dict(os.environ),
        folder=os.getcwd(),
        root=list(logging.getLogger().handlers),
        filters=list(warnings.filters),
        start=torch.multiprocessing.get_start_method(allow_none=True),
        named=[manager.check_instance_created('inside') for manager in managers],
        scope=getattr(DefaultScope.get_current_instance(), 'scope_name', None),
    )


def test_changes_inside_are_dropped(tmp_path, monkeypatch):
    """Everything that a run of the toolbox sets, after an error too; its log file is closed."""
    monkeypatch.chdir(tmp_path)
    before = snapshot()
    with pytest.raises(RuntimeError, match='stop'), preserved_process_state():
        random.random(), np.random.rand(), torch.rand(1)
        os.environ['TCNN_STRANGE'] = '1'
        os.chdir('/')
        warnings.simplefilter('error')
        init_default_scope('mmpretrain')
        MessageHub.get_instance('inside')
        logger = MMLogger.get_instance('inside', log_file=str(tmp_path / 'log.txt'))
        files = [h for h in logger.handlers if isinstance(h, logging.FileHandler)]
        raise RuntimeError('stop')
    assert snapshot() == before
    assert files and all(file.stream is None for file in files)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='a start method of POSIX')
def test_workers_start_inside_a_worker_of_joblib():
    """Its start method, with which torch's workers do not start, is back afterwards."""
    pytest.importorskip('joblib.externals.loky')
    before = torch.multiprocessing.get_start_method(allow_none=True)
    torch.multiprocessing.set_start_method('loky', force=True)
    try:
        with preserved_process_state():
            assert torch.multiprocessing.get_start_method() == 'fork'
        assert torch.multiprocessing.get_start_method() == 'loky'
    finally:
        torch.multiprocessing.set_start_method(before, force=True)


def test_bars_are_hidden_inside(capsys):
    """A bar made inside shows nothing, unless verbose."""
    for verbose in (False, True):
        with preserved_process_state(verbose):
            bar = progress_bar(3, 'image')
            assert bar.disable is not verbose
            bar.close()


def test_two_fits_in_one_process(images, labels, tmp_path):
    """The same scores from both, in folders of their own; the host's state is untouched."""
    model = PatchVotingClassifier('minivoc', scales=[1.0], epochs=3, work_dir=str(tmp_path))
    before = snapshot()
    first = model.fit(images, labels).predict_proba(images[:2])
    again = model.fit(images, labels).predict_proba(images[:2])
    assert np.array_equal(first, again) and snapshot() == before
    assert len(list(tmp_path.iterdir())) == 2
