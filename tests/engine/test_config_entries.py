"""Keys of data loaders, loops, log, environment and randomness: unknown ones are one line."""

import glob
import os.path as osp

import pytest
from mmengine.config import Config

from tcnn_mm.engine.config_entries import check_entries
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS, small_config


@pytest.mark.parametrize(
    'options, message',
    [
        ({'train_dataloader.bach_size': 3}, 'train_dataloader.bach_size: .*nearest: batch_size'),
        ({'test_dataloader.num_worker': 3}, 'test_dataloader.num_worker: .*nearest: num_workers'),
        ({'train_cfg.max_epoch': 3}, 'train_cfg.max_epoch: .*nearest: max_epochs'),
        ({'test_cfg': dict(fp17=True)}, 'test_cfg.fp17: .*nearest: fp16'),
        ({'log_processor': dict(windowsize=1)}, 'log_processor.windowsize: .*nearest: window_size'),
        ({'env_cfg.cudnn_bench': 1}, 'env_cfg.cudnn_bench: .*nearest: cudnn_benchmark'),
        ({'env_cfg.x': 1}, 'env_cfg.x: nothing reads it; it has cudnn_benchmark, '),
        ({'randomness.sed': 1}, 'randomness.sed: .*nearest: seed'),
        ({'train_cfg.type': 'IterBasedTrainLoop'}, 'train_cfg.by_epoch: .*_delete_=True'),
    ],
)
def test_a_key_that_nothing_reads_is_named(tmp_path, options, message):
    """mmengine drops those of env_cfg and of unused loaders; the others were tracebacks."""
    cfg = small_config(tmp_path)
    check_entries(cfg)
    cfg.merge_from_dict(options)
    with pytest.raises(UserError, match=message):
        check_entries(cfg)


def test_every_config_of_ours_passes():
    """Bundled configs and those of mixing."""
    paths = glob.glob(osp.join(CONFIGS, '*.py')) + glob.glob(osp.join(CONFIGS, 'mixing', '*.py'))
    assert len(paths) > 20
    for path in paths:
        check_entries(Config.fromfile(path))
