"""No key of a config and no option is dropped: what nothing reads is an error."""

import glob
import os.path as osp

import pytest

from tcnn_mm.cli.arguments import add_common_arguments
from tcnn_mm.engine.config_keys import top_level_keys, unread_names
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """A folder of its own; the variables that `load_config` sets are put back."""
    monkeypatch.chdir(tmp_path)
    for name in ('TCNN_DATA', 'TCNN_WEIGHTS', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '0')


def leaf(folder, text, base="_base_ = 'tcnn_mm::_base_/experiments/tcnn_minivoc.py'\n"):
    (folder / 'leaf.py').write_text(base + text)
    return str(folder / 'leaf.py')


def test_options_given_again_all_count():
    """`--cfg-options a=1 --cfg-options b=2` sets both; the first was dropped."""
    import argparse

    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    words = 'c.py --cfg-options train_cfg.max_epochs=3 a.b=1 --cfg-options randomness.seed=7'
    args = parser.parse_args(words.split())
    assert args.cfg_options == ['train_cfg.max_epochs=3', 'a.b=1', 'randomness.seed=7']


@pytest.mark.parametrize(
    'text, message',
    [
        ('train_dataloder = dict(batch_size=2)\n', 'train_dataloder .*nearest: train_dataloader'),
        ('custom_hook = []\n', 'custom_hook is no key of a config; nearest: custom_hooks'),
        ('seed = 3\n', 'leaf.py: seed is set, and nothing reads it; did you mean randomness.seed'),
        ("data_root = 'mine'\n", 'data_root is set, and nothing reads it; .*variable of a base'),
    ],
)
def test_a_key_that_nothing_reads(tmp_path, text, message):
    """It is named with the file and with what was meant."""
    with pytest.raises(UserError, match=message):
        load_config(leaf(tmp_path, text))


def test_variables_that_are_read_are_fine(tmp_path):
    """In the same file; any at all where imported code may read them, or without a base."""
    text = "epochs = 3\ntrain_cfg = dict(max_epochs=epochs)\n_note = 'mine'\n"
    assert load_config(leaf(tmp_path, text)).train_cfg.max_epochs == 3
    load_config(leaf(tmp_path, "note = 1\ncustom_imports = dict(imports=['json'])\n"))
    dumped = load_config('tcnn_minivoc')
    dumped.work_dir = str(tmp_path)  # a run's config is read where the run writes
    dumped.dump(tmp_path / 'dumped.py')
    assert unread_names(str(tmp_path / 'dumped.py')) == []
    load_config(str(tmp_path / 'dumped.py'))


@pytest.mark.parametrize(
    'option, message',
    [
        ('train_cfgs.max_epochs=3', '--cfg-options train_cfgs.max_epochs: .*mean train_cfg'),
        ('seed=1', 'nothing reads seed; did you mean randomness.seed'),
        ('zzz=1', 'nothing reads zzz; keys that are read: .*custom_hooks'),
        ('model.hed.dropout=0.1', 'model.hed: PatchClassifier has no such argument; .*: head'),
    ],
)
def test_an_option_that_nothing_reads(option, message):
    """A mistyped option trained with the default."""
    with pytest.raises(UserError, match=message):
        load_config('tcnn_minivoc', cfg_options=[option])


def test_every_config_of_ours_sets_only_what_is_read():
    """No leaf sets a name in vain."""
    paths = glob.glob(osp.join(CONFIGS, '*.py')) + glob.glob(osp.join(CONFIGS, 'mixing', '*.py'))
    assert len(paths) > 20
    unread = {osp.basename(path): set(unread_names(path)) - top_level_keys() for path in paths}
    assert {name: names for name, names in unread.items() if names} == {}
