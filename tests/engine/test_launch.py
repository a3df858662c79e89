"""What the tools share: the `server` part of a config and where its run lands."""

import argparse
import os.path as osp

import pytest
from runs import CONFIGS

from tcnn_mm.engine.launch import add_common_arguments, load_config
from tcnn_mm.errors import UserError


@pytest.fixture
def load(monkeypatch):
    for key in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):  # load_config sets them
        monkeypatch.setenv(key, '0')
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    return lambda *flags: load_config(parser.parse_args([*map(str, flags)]))


def test_options_come_after_the_server_part(load):
    """--cfg-options overrides what --server has set; without the flag the part changes nothing."""
    config = osp.join(CONFIGS, 'tcnn_voc12.py')
    cfg = load(config, '--server', '--cfg-options', 'test_evaluator.0.comp=comp1')
    assert cfg.test_evaluator[0].comp == 'comp1' and cfg.work_dir.endswith('tcnn_voc12_server')
    # The part itself stays as written.
    assert cfg.server.test_evaluator[0].comp == 'comp2'
    plain = load(config)
    assert plain.train_dataloader.dataset.split == 'train'
    assert plain.work_dir == osp.join('work_dirs', 'tcnn_voc12')
    assert load(config, '--server', '--work-dir', 'mine').work_dir == 'mine'


@pytest.mark.parametrize('name', ['tcnn_minivoc.py', 'tcnn_voc12_action_sliding.py'])
def test_a_config_without_that_part(name, load):
    """One line that names the config."""
    with pytest.raises(UserError, match=f'--server: .*{name} has no `server` part'):
        load(osp.join(CONFIGS, name), '--server')
