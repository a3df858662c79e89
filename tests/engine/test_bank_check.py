"""A bank is of the annotations and of the image files as they are now, or it is refused."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine import bank_check, build_bank
from tcnn_mm.engine.bank_contents import some_ids
from tcnn_mm.engine.image_digests import covers_ends, image_digest
from tcnn_mm.errors import UserError
from tests.support.small_bank import bank_config, edit_record, write_data


@pytest.fixture
def said(monkeypatch):
    """Lines that the check logs."""
    lines = []
    monkeypatch.setattr(bank_check, 'print_log', lambda text, logger: lines.append(text))
    return lines


def files_of(folder):
    """Name → content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    'changes',
    [dict(boxes=[[50, 30, 80, 64]]), dict(labels=[0], box_labels=[0]), dict(difficult=[True])],
    ids=['box', 'label', 'flag'],
)
def test_edited_annotations_are_noticed(tmp_path, said, changes):
    """Of a training bank: an error names image and remedy, which helps. Of a test bank: written
    into its manifest, without the network.
    """
    records = write_data(tmp_path / 'data')
    cfg, train = bank_config(records, tmp_path / "it's train")
    _, test = bank_config(records, tmp_path / 'test', test_mode=True)
    for bank in (train, test):
        build_bank.build_bank(cfg, bank)
    before = files_of(tmp_path / 'test')
    edit_record(records, 3, **changes)
    with pytest.raises(UserError, match=r'annotations of 1 image \(image_3\) were edited') as error:
        build_bank.build_bank(cfg, train)
    os.system(str(error.value).partition('remove it (')[2].partition(') and give')[0])
    assert not (tmp_path / "it's train").exists()
    build_bank.build_bank(cfg, train)
    build_bank.build_bank(cfg, test)
    assert [line.partition(': ')[2] for line in said] == [
        'added the edited annotations of 1 image (image_3); its features stay'
    ]
    after = files_of(tmp_path / 'test')
    assert before.pop('manifest.json') != after.pop('manifest.json') and before == after
    mine = FeatureBank(**{k: v for k, v in test.items() if k != 'type'})[3]['data_samples']
    theirs = build_bank.DATASETS.build(test.source)[3]['data_samples']
    for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult', 'gt_label'):
        assert torch.equal(mine.get(key), theirs.get(key)), key
    build_bank.build_bank(cfg, test)
    assert len(said) == 1


def test_an_edit_that_changes_no_patch_keeps_a_training_bank(tmp_path, said):
    """A box that moves by a hundredth of a pixel names the same patches."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank')
    build_bank.build_bank(cfg, bank)
    features = (tmp_path / 'bank' / 'features.f16').read_bytes()
    edit_record(records, 0, boxes=[[0, 0, 60.01, 60]])
    build_bank.build_bank(cfg, bank)
    assert 'image_0' in said[0] and (tmp_path / 'bank/features.f16').read_bytes() == features


@pytest.mark.parametrize('test_mode', [False, True])
def test_a_replaced_image_is_noticed_and_a_copied_data_set_is_not(tmp_path, said, test_mode):
    """Other pixels under the same name are an error; other times are none."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank', test_mode)
    build_bank.build_bank(cfg, bank)
    shutil.copytree(tmp_path / 'data', tmp_path / 'copy', copy_function=shutil.copyfile)
    copy = tmp_path / 'copy' / 'records.json'
    copy.write_text(copy.read_text().replace(str(tmp_path / 'data'), str(tmp_path / 'copy')))
    bank.source.ann_file = str(copy)
    build_bank.build_bank(cfg, bank)
    for number in (1, 2):
        Image.new('RGB', (80, 64)).save(tmp_path / f'copy/image_{number}.png')
    with pytest.raises(
        UserError, match=r'the files of 2 images \(image_1, image_2\) were replaced.*rm -r '
    ):
        build_bank.build_bank(cfg, bank)
    assert said == []


def test_a_bank_of_an_earlier_version_is_accepted(tmp_path, said):
    """A line says what is not checked; the same for one without objects."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank', test_mode=True)
    build_bank.build_bank(cfg, bank)
    path = tmp_path / 'bank' / 'manifest.json'
    manifest = json.loads(path.read_text())
    for record in manifest['pictures']:
        del record['digest'], record['checksum']
    path.write_text(json.dumps(manifest))
    Image.new('RGB', (80, 64)).save(tmp_path / 'data/image_1.png')
    build_bank.build_bank(cfg, bank)
    assert (
        len(said) == 1
        and 'whether image files were replaced or features were damaged since then is not checked'
        in said[0]
    )
    edit_record(records, 0, labels=[0, 1])
    build_bank.build_bank(cfg, bank)
    assert 'image_0' in said[-1]
    for record in manifest['pictures']:
        del record['gt_bboxes']
    path.write_text(json.dumps(manifest))
    said.clear()
    build_bank.build_bank(cfg, bank)
    assert 'boxes were edited or image files were replaced' in said[0]


def test_a_bank_with_digests_of_ends_is_read(tmp_path, said):
    """Of an earlier version: large files are compared as it did, and the log says what is not."""
    records = write_data(tmp_path / 'data')
    large = tmp_path / 'data/image_0.png'
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (300, 300, 3), np.uint8)).save(large)
    cfg, bank = bank_config(records, tmp_path / 'bank')
    build_bank.build_bank(cfg, bank)
    path = tmp_path / 'bank' / 'manifest.json'
    manifest = json.loads(path.read_text())
    first = manifest['pictures'][0]
    assert first['digest'] == image_digest(large)
    first['digest'] = image_digest(large, ends=True)
    assert covers_ends(first['digest']) and '-all-' not in first['digest']
    path.write_text(json.dumps(manifest))
    build_bank.build_bank(cfg, bank)
    assert len(said) == 1 and 'whether the middle of large image files was edited' in said[0]
    edit(large, 100)
    with pytest.raises(UserError, match=r'1 image \(image_0\) were replaced'):
        build_bank.build_bank(cfg, bank)


def test_an_edit_in_the_middle_of_a_large_image_is_noticed(tmp_path):
    """One byte, the size and the times as before."""
    records = write_data(tmp_path / 'data')
    large = tmp_path / 'data/image_0.png'
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (300, 300, 3), np.uint8)).save(large)
    cfg, bank = bank_config(records, tmp_path / 'bank')
    build_bank.build_bank(cfg, bank)
    edit(large, large.stat().st_size // 2)
    with pytest.raises(UserError, match=r'1 image \(image_0\) were replaced'):
        build_bank.build_bank(cfg, bank)


def edit(path, at):
    """Change one byte of a file, which keeps its size and its times."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_ids_are_counted_and_shortened():
    """Three are named."""
    assert some_ids(['a', 'b', 'c', 'd']) == '4 images (a, b, c, …)'


@pytest.mark.parametrize('name', ['features.f16', 'pictures.f16', 'rows.npz', 'manifest.json'])
@pytest.mark.parametrize('damage', ['half', 'gone'])
def test_a_damaged_bank_is_one_line(tmp_path, name, damage):
    """The file, what is wrong, what to do; reading never gives zeros for what is lost."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank')
    build_bank.build_bank(cfg, bank)
    path = tmp_path / 'bank' / name
    if damage == 'half':
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.unlink()
    with pytest.raises(UserError, match=rf'{name}|no feature bank') as error:
        FeatureBank(bank.bank, context=True)
    assert 'bank' in str(error.value)


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize('name', ['features.f16', 'rows.npz', 'pictures.f16'])
def test_rows_that_are_not_those_written_are_refused(tmp_path, test_mode, name):
    """Features, labels or boxes of the right size and of other images give no figure; images are
    named, and the printed command helps.
    """
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank', test_mode)
    build_bank.build_bank(cfg, bank)
    path = tmp_path / 'bank' / name
    if test_mode and name == 'pictures.f16':
        assert not path.exists()
        return
    good = path.read_bytes()
    if name == 'rows.npz':
        with np.load(path) as rows:
            stored = dict(rows)
        stored['labels' if not test_mode else 'boxes'] += 1
        np.savez(path, **stored)
    else:
        values = np.frombuffer(good, np.float16).copy()
        values[-1] += 1
        path.write_bytes(values.tobytes())
    with pytest.raises(UserError, match=r'are not those that were written') as error:
        build_bank.build_bank(cfg, bank)
    last = json.loads((tmp_path / 'bank/manifest.json').read_text())['pictures'][-1]['img_id']
    assert last in str(error.value) or '…' in str(error.value)
    os.system(str(error.value).partition('remove it (')[2].partition(') and give')[0])
    build_bank.build_bank(cfg, bank)
    assert name == 'rows.npz' or path.read_bytes() == good


@pytest.mark.parametrize('test_mode', [False, True])
def test_nan_in_an_older_bank_is_refused_when_read(tmp_path, test_mode):
    """The image is named; infinity alike."""
    records = write_data(tmp_path / 'data')
    cfg, bank = bank_config(records, tmp_path / 'bank', test_mode)
    build_bank.build_bank(cfg, bank)
    good = FeatureBank(bank.bank, flips=False, test_mode=test_mode)
    shape, row = good.features.shape, good.first[3]
    for value in (np.nan, -np.inf):
        features = np.memmap(tmp_path / 'bank/features.f16', np.float16, 'r+', shape=shape)
        features[0, row, 7] = value
        features.flush()
        read = FeatureBank(bank.bank, flips=False, test_mode=test_mode)
        with pytest.raises(UserError, match='NaN or infinity in the features of image_3;'):
            read.__getitems__([3] if test_mode else [0, 1, row, row - 1])
        read.__getitems__([0, 1])
