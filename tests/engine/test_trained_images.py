"""A test says how many of its images were trained on, whatever their names."""

import copy
import io
import logging
import shutil
import time

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset
from PIL import Image

from tcnn_mm.checkpoints.record_types import check_meta
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine import trained_images
from tcnn_mm.engine.build_bank import DATASETS, build_bank
from tcnn_mm.engine.trained_images import (
    TRAINED_ON,
    image_prints,
    join_prints,
    trained_prints,
    warn_of_trained_images,
)
from tests.support.runs import test, train
from tests.support.small_bank import bank_config, write_data


@pytest.fixture
def said(monkeypatch):
    """The warnings of a logger, and the logger."""
    lines = []
    logger = logging.Logger('said')
    monkeypatch.setattr(logger, 'warning', lines.append)
    return lines, logger


def test_the_checkpoint_of_a_run_tells_its_images(trained_run, tmp_path, said):
    """The record has an entry per image; its test data are others; those of training are said."""
    lines, logger = said
    prints, of_earlier_version = trained_prints(trained_run.checkpoint)
    assert len(prints) == 12 and all(len(one) == 12 for one in prints) and not of_earlier_version
    cfg = trained_run.config(tmp_path, **{'test_dataloader.dataset.split': 'train'})
    name = trained_run.folder / 'epoch_2.pth'
    trained = DATASETS.build(cfg.test_dataloader.dataset)
    assert warn_of_trained_images(trained_run.checkpoint, trained, 'a.pth', logger) == 12
    assert lines == [
        '12 of the 12 images to be tested were trained on (a.pth): their figures are too high; '
        'test on other images'
    ]
    test(cfg, name)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert '12 of the 12 images to be tested were trained on' in log
    assert 'trained on' not in next(trained_run.folder.glob('*/*.log')).read_text()


def test_a_resume_with_other_images_is_said_and_keeps_them(trained_run, tmp_path):
    """The images of both parts of the training count; those of the first alone are no news."""
    shutil.copytree(trained_run.folder, tmp_path / 'run')
    before, _ = trained_prints(trained_run.checkpoint)
    options = {'train_dataloader.dataset.indices': 14, 'train_cfg.max_epochs': 3, 'resume': True}
    prints, _ = trained_prints(train(trained_run.config(tmp_path / 'run', **options)))
    assert len(prints) == 14 and before < prints
    log = max((tmp_path / 'run').glob('*/*.log')).read_text()
    assert 'resumed with other training images: 0 are not there now, 2 are new' in log
    options = {'train_dataloader.dataset.indices': [0], 'train_cfg.max_epochs': 4, 'resume': True}
    assert trained_prints(train(trained_run.config(tmp_path / 'run', **options)))[0] == prints


def test_copies_and_banks_are_told_by_their_content(tmp_path, said):
    """A copy under another name has the same digits; a bank has those of its images."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank')
    build_bank(cfg, bank)
    source = DATASETS.build(bank.source)
    prints = image_prints(source)
    read = FeatureBank(**{key: value for key, value in bank.items() if key != 'type'})
    assert image_prints(read) == prints and len(set(prints)) == 5
    both = ConcatDataset([dict(type='RepeatDataset', dataset=bank, times=2), source])
    assert image_prints(both) == 2 * prints
    for at in range(4, -1, -1):
        shutil.move(tmp_path / f'data/image_{at}.png', tmp_path / f'data/image_{at + 1}.png')
    write_data(tmp_path / 'new', 1)
    shutil.copy(tmp_path / 'new/image_0.png', tmp_path / 'data/image_0.png')
    assert image_prints(source) == [prints[0], *prints[:4]]
    old = copy.deepcopy(read)
    for record in old.manifest['pictures']:
        del record['digest']
    assert image_prints(old) == [] and image_prints([1, 2]) == []
    lines, logger = said
    for meta in (None, {}, dict(tcnn_mm={})):
        assert warn_of_trained_images(dict(meta=meta), source, 'a.pth', logger) == 0
    assert lines == []


def test_checkpoints_of_earlier_versions_tell_their_images(tmp_path, said):
    """A list, of large files the digits of their ends: the same images are found."""
    lines, logger = said
    records = write_data(tmp_path / 'data')
    random = np.random.default_rng(0)
    large = random.integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(large).save(tmp_path / 'data/image_0.png')
    source = DATASETS.build(bank_config(records, tmp_path / 'bank')[1].source)
    ends, whole = image_prints(source, ends=True), image_prints(source)
    assert [one == other for one, other in zip(ends, whole, strict=True)] == [False] + 4 * [True]
    for stored in (ends, join_prints(whole)):
        checkpoint = dict(meta=dict(tcnn_mm={TRAINED_ON: stored}))
        check_meta(checkpoint, 'a.pth')
        assert warn_of_trained_images(checkpoint, source, 'a.pth', logger) == 5


def test_processes_share_the_images(tmp_path, monkeypatch):
    """Each reads every n-th one; together they have the prints that one process has."""
    records = write_data(tmp_path / 'data')
    source = DATASETS.build(bank_config(records, tmp_path / 'bank')[1].source)
    shares = [image_prints(source, slice(rank, None, 2)) for rank in range(2)]
    assert list(map(len, shares)) == [3, 2]
    monkeypatch.setattr(trained_images, 'get_rank', lambda: 0)
    monkeypatch.setattr(trained_images, 'get_world_size', lambda: 2)
    monkeypatch.setattr(trained_images, 'all_gather_object', lambda own: [own, ''.join(shares[1])])
    assert trained_images.prints_of_processes(source) == set(image_prints(source))


def test_many_images_cost_no_seconds():
    """Their prints are one text: of 1.2 million a list takes 3 s of each load, and 26 MB."""
    prints = {f'{number:012x}' for number in range(0, 2_000_000, 10)}
    seconds = {}
    for record in (join_prints(prints), sorted(prints)):
        buffer, start = io.BytesIO(), time.process_time()
        torch.save(dict(meta=dict(tcnn_mm={TRAINED_ON: record})), buffer)
        buffer.seek(0)
        content = torch.load(buffer, weights_only=True)
        check_meta(content, 'a.pth')
        seconds[type(record)] = time.process_time() - start
        assert trained_prints(content) == (prints, isinstance(record, list))
        if isinstance(record, str):
            assert buffer.tell() < 13.3 * len(prints)
    # Not so many seconds: the machine may be full.
    assert 4 * seconds[str] < seconds[list]
