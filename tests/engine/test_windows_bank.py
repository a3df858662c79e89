"""One bank of all windows and the labels of the sampled ones serves training and tests."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import write_config
from tests.support.own_data import write_voc


@pytest.fixture(scope='module')
def banks(tmp_path_factory):
    """Config of a fit, and the folders of three banks of its training images."""
    init_default_scope('mmpretrain')
    folder = tmp_path_factory.mktemp('banks')
    root = write_voc(folder / 'data', count=8)
    cfg = Config.fromfile(
        write_config(make_plan(str(root), 'minivoc', str(folder / 'out'), scales=[1.0, 1.6]))
    )
    kinds = dict(sampled={}, all=dict(test_mode=True), windows=dict(windows=True))
    return cfg, {
        name: build_bank(
            cfg, ConfigDict(cfg.train_dataloader.dataset, bank=f'{folder}/{name}', **k)
        )
        for name, k in kinds.items()
    }


def test_training_reads_the_sampled_rows(banks):
    """The same features and labels as of a bank of sampled patches, bit for bit."""
    _, folders = banks
    sampled = FeatureBank(folders['sampled'], flips=False)
    windows = FeatureBank(folders['windows'], windows=True)
    assert len(windows) == len(sampled) and not windows.flips
    one, other = (bank.__getitems__(range(len(bank)))[0]['inputs'] for bank in (sampled, windows))
    assert (one.labels == other.labels).all() and (one.features == other.features).all()
    assert len(windows.labels) > len(windows)


def test_a_test_reads_all_windows(banks):
    """The same items as of a bank of all windows; a list restricts both."""
    _, folders = banks
    alone = FeatureBank(folders['all'], test_mode=True)
    windows = FeatureBank(folders['windows'], windows=True, test_mode=True)
    assert len(alone) == len(windows)
    for one, other in ((alone[i], windows[i]) for i in range(len(alone))):
        assert (one['inputs'].features == other['inputs'].features).all()
        assert np.array_equal(one['inputs'].boxes, other['inputs'].boxes)
        assert one['data_samples'].img_id == other['data_samples'].img_id


def test_a_list_restricts_both(banks, tmp_path):
    """The rows of these images alone."""
    _, folders = banks
    whole = FeatureBank(folders['windows'], windows=True)
    ids = tmp_path / 'ids.txt'
    ids.write_text(whole.manifest['pictures'][1]['img_id'] + '\n')
    part = FeatureBank(folders['windows'], windows=True, ids=str(ids))
    assert len(FeatureBank(folders['windows'], windows=True, ids=str(ids), test_mode=True)) == 1
    first, size = part.first[1], part.sizes[1]
    assert len(part) == (part.labels[first : first + size] >= 0).sum()


def test_both_loaders_are_of_one_recipe(banks):
    """Training and test of the bank pass its check; other kinds of banks are refused by recipe."""
    cfg, folders = banks
    dataset = ConfigDict(cfg.train_dataloader.dataset, bank=folders['windows'], windows=True)
    assert build_bank(cfg, dataset) == build_bank(cfg, ConfigDict(dataset, test_mode=True))
    with pytest.raises(UserError, match='made by another recipe.*sampler.labeler'):
        build_bank(cfg, ConfigDict(dataset, windows=False, test_mode=True))


def test_edited_boxes_are_found(banks, tmp_path):
    """Labels are in the bank: annotations that name other patches are refused."""
    cfg, folders = banks
    path = Path(cfg.train_dataloader.dataset.source.ann_file)
    records = json.loads(path.read_text())
    for record in records['images']:
        record['boxes'] = [[1, 1, 30, 30]] * len(record['boxes'])
    edited = tmp_path / 'records.json'
    edited.write_text(json.dumps(records))
    dataset = ConfigDict(cfg.train_dataloader.dataset, bank=folders['windows'], windows=True)
    source = ConfigDict(dataset.source, ann_file=str(edited))
    with pytest.raises(UserError, match='were edited since this bank was made'):
        build_bank(cfg, ConfigDict(dataset, source=source))
