"""Data sets inside data sets: banks are built and checked, epochs are told, ids are named."""

import pytest
from mmengine.config import ConfigDict
from mmengine.registry import DATASETS as ROOT
from mmengine.registry import init_default_scope

from tcnn_mm.datasets.dataset_wrappers import inner_configs, inner_datasets, replace_inner
from tcnn_mm.datasets.feature_bank import FeatureBank, named_banks
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.engine.build_bank import build_banks
from tcnn_mm.engine.epoch_seed import tell_epoch
from tcnn_mm.errors import UserError
from tests.support.runs import small_config, train
from tests.support.small_bank import bank_config, edit_record, write_data

WRAPPERS = {
    'concat': lambda a, b: dict(type='ConcatDataset', datasets=[a, b]),
    'repeat': lambda a, b: dict(type='RepeatDataset', times=2, dataset=a),
    'balanced': lambda a, b: dict(type='ClassBalancedDataset', oversample_thr=0.1, dataset=a),
    'nested': lambda a, b: dict(
        type='ConcatDataset', datasets=[dict(type='RepeatDataset', times=2, dataset=a), b]
    ),
}


@pytest.mark.parametrize('wrap', WRAPPERS.values(), ids=WRAPPERS)
def test_inner_configs_of_a_config(wrap):
    """The innermost ones, in order; replaced where they are; a plain one is its own."""
    a, b = dict(type='A'), dict(type='B')
    config = ConfigDict(wrap(a, b))
    found = list(inner_configs(config))
    assert found in ([a, b], [a])
    changed = replace_inner(config, lambda each: dict(each, more=1))
    assert list(inner_configs(changed)) == [dict(each, more=1) for each in found]
    assert list(inner_configs(a)) == [a] and replace_inner(a, lambda _: b) == b


@pytest.fixture
def banks(tmp_path):
    """An experiment, and two banks of other images."""
    cfg, first = bank_config(write_data(tmp_path / 'one'), tmp_path / 'bank_one')
    second = bank_config(write_data(tmp_path / 'two', 3), tmp_path / 'bank_two')[1]
    return cfg, first, second


@pytest.mark.parametrize('wrap', WRAPPERS.values(), ids=WRAPPERS)
def test_banks_inside_data_sets_are_built_checked_and_read(wrap, banks, tmp_path):
    """In each wrapper of mmengine: made where absent, refused where stale, told the epoch."""
    cfg, first, second = banks
    cfg.train_dataloader.dataset = ConfigDict(wrap(first, second))
    build_banks(cfg, ['train'])
    named = named_banks(cfg, 'train')
    assert named and all((tmp_path / each.bank / 'manifest.json').is_file() for each in named)
    built = ROOT.build(cfg.train_dataloader.dataset)
    assert len(built) and built[len(built) - 1]['inputs'].features.shape[0] == 1
    parts = list(inner_datasets(built))
    assert {part.folder for part in parts} == {each.bank for each in named}
    tell_epoch(built, 3, 5)
    assert all(part._key.tolist() == [3, 5] for part in parts)
    assert all(isinstance(part, FeatureBank) for part in parts)
    images = list(inner_configs(image_config(cfg.train_dataloader.dataset)))
    assert [each['ann_file'] for each in images] == [each.source.ann_file for each in named]
    edit_record(tmp_path / 'one' / 'records.json', 0, boxes=[[30, 30, 62, 62]])
    with pytest.raises(UserError, match='bank_one.*were edited'):
        build_banks(cfg, ['train'])


def test_a_training_reads_banks_inside_a_data_set(tmp_path):
    """A Runner trains on two banks as one data set, with the hooks of a bundled config."""
    init_default_scope('mmpretrain')
    cfg = small_config(tmp_path / 'run', 'tcnn_minivoc_bank.py', images=6, epochs=1)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    loader = cfg.train_dataloader
    source = loader.dataset.source.to_dict()
    parts = [
        dict(loader.dataset.to_dict(), bank=str(tmp_path / name), source=dict(source, indices=ids))
        for name, ids in (('a', [0, 1, 2]), ('b', [3, 4]))
    ]
    for part in parts:
        part.pop('indices', None)
    loader.update(num_workers=0, persistent_workers=False, batch_size=64)
    loader.pop('prefetch_factor', None)
    loader.dataset = ConfigDict(type='ConcatDataset', datasets=parts)
    build_banks(cfg, ['train'])
    assert train(cfg)['meta']['epoch'] == 1


def test_an_epoch_is_told_through_wrappers_of_built_data_sets():
    """Transforms too; what has no set_epoch is left alone."""

    class Told:
        def set_epoch(self, seed, epoch):
            self.key = (seed, epoch)

    def wrapped(**parts):
        return type('Wrapper', (), parts)()

    transform, one, two = Told(), Told(), Told()
    one.pipeline = wrapped(transforms=[transform, object()])
    tell_epoch(wrapped(datasets=[wrapped(dataset=one), wrapped(dataset=wrapped()), two]), 1, 2)
    assert transform.key == one.key == two.key == (1, 2)
