"""Banks in folders that cannot be written, and banks whose files are links into a store."""

import json
import os
import shutil

import pytest

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine import bank_check, build_bank
from tcnn_mm.errors import UserError
from tests.support.read_only import as_a_user, read_only
from tests.support.small_bank import bank_config, edit_record, write_data

needs_linux = pytest.mark.skipif(
    not os.path.isdir('/proc/self/fd'), reason='gives up capabilities, as Linux has them'
)


@pytest.fixture
def records(tmp_path):
    """Records of a few images."""
    return write_data(tmp_path / 'data')


@pytest.fixture
def make(records, tmp_path):
    """A function that makes or checks the bank, and reads an item of it."""

    def make_bank(test_mode=True):
        cfg, bank = bank_config(records, tmp_path / 'bank', test_mode=test_mode)
        build_bank.build_bank(cfg, bank)
        read = FeatureBank(**{key: value for key, value in bank.items() if key != 'type'})
        assert read[0]['inputs'] is not None

    make_bank()
    return make_bank


def contents(folder):
    """Name → bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@needs_linux
def test_permissions_hold_in_such_a_process(tmp_path):
    """The stand-in is honest: nothing can be written there, also by root."""
    (tmp_path / 'folder').mkdir()
    with read_only(tmp_path / 'folder'), pytest.raises(AssertionError):
        as_a_user((tmp_path / 'folder' / 'a').touch)
    (tmp_path / 'folder' / 'a').touch()


@needs_linux
@pytest.mark.parametrize('left', [None, 'done.u8', 'manifest.json.99999999.tmp'])
def test_a_bank_is_read_where_it_cannot_be_written(make, tmp_path, left):
    """Checked and read; what a killed build left beside it stays."""
    if left:
        (tmp_path / 'bank' / left).touch()
    before = contents(tmp_path / 'bank')
    with read_only(tmp_path):
        assert as_a_user(make) is None
    assert contents(tmp_path / 'bank') == before
    assert not (tmp_path / 'bank.lock').exists()


@needs_linux
def test_a_bank_of_an_earlier_version_too(make, tmp_path):
    """Its objects, which cannot be added, are not needed to read it."""
    path = tmp_path / 'bank' / 'manifest.json'
    manifest = json.loads(path.read_text())
    for record in manifest['pictures']:
        del record['gt_bboxes'], record['digest']
    path.write_text(json.dumps(manifest))
    with read_only(tmp_path):
        assert as_a_user(make) is None
    make()
    assert 'gt_bboxes' in json.loads(path.read_text())['pictures'][0]


@needs_linux
def test_edited_annotations_are_one_line_there(make, records, tmp_path):
    """They would have to be written: which images, and what to do, which helps."""
    edit_record(records, 0, labels=[0, 1])
    with read_only(tmp_path / 'bank'):
        message = as_a_user(make)
    assert 'annotations of 1 image (image_0) were edited' in message
    assert 'cannot be written; copy it' in message and '\n' not in message
    make()


@needs_linux
def test_a_bank_cannot_be_begun_there(make, tmp_path):
    """One line that names the folder, before anything is computed."""
    shutil.rmtree(tmp_path / 'bank')
    with read_only(tmp_path):
        message = as_a_user(make)
    assert 'bank' in message and 'Permission denied' in message and '\n' not in message


@pytest.fixture
def store(make, tmp_path):
    """The store that the files of the bank are links into, as git-annex and DVC have it."""
    folder = tmp_path / 'store'
    folder.mkdir()
    for path in (tmp_path / 'bank').iterdir():
        shutil.move(path, folder / path.name)
        path.symlink_to(folder / path.name)
    return folder


def test_a_bank_of_links_is_read(make, store, records, tmp_path):
    """What has to be written takes the place of a link: the store stays as it is."""
    before = contents(store)
    make()
    assert all(path.is_symlink() for path in (tmp_path / 'bank').iterdir())
    edit_record(records, 0, labels=[0, 1])
    make()
    assert contents(store) == before
    assert not (tmp_path / 'bank' / 'manifest.json').is_symlink()


@pytest.mark.parametrize('name', ['manifest.json', 'rows.npz', 'features.f16'])
def test_a_file_that_is_not_fetched_is_named(make, store, tmp_path, name):
    """A link to nothing: the file, where it leads, and how to have it."""
    (store / name).unlink()
    with pytest.raises(UserError, match=rf'{name}: a link to .*store.*fetch it \(git annex get'):
        make()


def test_an_unfinished_bank_of_links_is_begun_anew(make, store, records, tmp_path, monkeypatch):
    """Its images would be written through the links into the store."""
    said = []
    (store / 'done.u8').write_bytes(bytes(5))
    (store / 'checksums.u4').write_bytes(bytes(20))
    for name in ('done.u8', 'checksums.u4'):
        (tmp_path / 'bank' / name).symlink_to(store / name)
    (tmp_path / 'bank').rename(tmp_path / 'bank.part')
    before = contents(store)
    monkeypatch.setattr(
        'tcnn_mm.engine.bank_files.print_log', lambda text, logger: said.append(text)
    )
    make()
    assert any('unfinished bank, with links' in line for line in said)
    assert contents(store) == before
    assert not any(path.is_symlink() for path in (tmp_path / 'bank').iterdir())
    shutil.rmtree(tmp_path / 'bank')
    (tmp_path / 'bank.part').symlink_to(store)
    make()
    assert contents(store) == before and not (tmp_path / 'bank.part').is_symlink()


@pytest.mark.parametrize('exists', [True, False])
def test_a_link_in_the_place_of_a_bank(make, tmp_path, exists):
    """To a bank it is read; to anything else refused at once: no folder can take its place."""
    (tmp_path / 'bank').rename(tmp_path / 'elsewhere')
    (tmp_path / 'bank').symlink_to(tmp_path / 'elsewhere')
    make()
    shutil.rmtree(tmp_path / 'elsewhere')
    if exists:
        (tmp_path / 'elsewhere').mkdir()
    with pytest.raises(UserError, match=r'bank: a link to .*elsewhere, where no feature bank is'):
        make()
    (tmp_path / 'bank').unlink()
    make()


def test_the_check_itself_asks_for_permission(make, records, tmp_path, monkeypatch):
    """Where the system says that a folder cannot be written, as of a disk mounted read-only."""
    edit_record(records, 0, labels=[0, 1])
    monkeypatch.setattr(bank_check.os, 'access', lambda path, mode: False)
    before = contents(tmp_path / 'bank')
    with pytest.raises(UserError, match='cannot be written; copy it'):
        make()
    assert contents(tmp_path / 'bank') == before
