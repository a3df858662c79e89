"""Parts of YOLO's data: entries of data.yaml wherever they were written, and lists of images."""

import pytest

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.yolo_parts import named_sets
from tcnn_mm.datasets.formats.yolo_yaml import read_yaml_files
from tests.support.exports import write

FILES = ('images/first/1.jpg', 'images/second/2.jpg', 'images/second/deep/3.jpg')


def sets(root, text, where='data.yaml', files=FILES, lists=()):
    for file in files:
        write(root / file, '')
    if text:
        write(root / where, text)
    scan = scan_folder(str(root))
    account = Account()
    yamls = read_yaml_files(scan).found
    return named_sets(scan, ImageIndex(scan.images), yamls, list(lists), account), account


@pytest.mark.parametrize(
    'text',
    [
        'train: images/first\nval: images/second\n',
        'train: ../images/first\nval: ./images/second/\n',
        'path: .\ntrain: images/first\nval: [images/second]\n',
        'path: ../datasets/x\ntrain: images/first\nval: images/second\ntest: # optional\n',
        'train: /content/x/images/first\nval: /content/x/images/second\n',
        'train: C:\\data\\images\\first\nval: D:/images/second\n',
        'path: images\ntrain: first\nvalid: second\n',
    ],
)
def test_entries_of_data_yaml(tmp_path, text):
    """As Ultralytics, Roboflow and hands write them; a folder means all below it."""
    found, account = sets(tmp_path, text + 'names: [a]\n')
    assert found == {'train': {FILES[0]}, 'val': {FILES[1], FILES[2]}}
    assert account.notes == []


def test_entries_begin_at_the_file(tmp_path):
    """A data.yaml in a folder of its own, and data in a folder in a folder."""
    found, _ = sets(tmp_path, 'train: ../images/first\n', 'cfg/data.yaml')
    assert found == {'train': {FILES[0]}}
    files = tuple(f'export/{file}' for file in FILES)
    found, _ = sets(tmp_path / 'b', 'train: images/first\n', 'export/data.yaml', files)
    assert found == {'train': {files[0]}}


def test_what_is_elsewhere_is_not_followed(tmp_path):
    """Entries that lead out of the folder are noted, also where such a folder exists."""
    (tmp_path / 'other').mkdir()
    write(tmp_path / 'other/9.jpg', '')
    found, account = sets(tmp_path / 'a', 'train: images/first\nval: ../other\n')
    assert found == {'train': {FILES[0]}}
    assert account.notes == [
        'data.yaml: val is ../other, which is not in this folder: not followed'
    ]


def test_a_part_is_no_other_folder_of_its_last_name(tmp_path):
    """`/x/test/images` is not the folder `images` of all parts."""
    found, account = sets(tmp_path, 'train: images/first\ntest: /x/test/images\n')
    assert found == {'train': {FILES[0]}} and len(account.notes) == 1


def test_lists_of_images(tmp_path):
    """Of data.yaml by its entry, else by their names; paths of another machine."""
    write(tmp_path / 'one.txt', './images/first/1.jpg\n')
    write(tmp_path / 'two.txt', '/home/me/data/images/second/2.jpg\n\n')
    found, _ = sets(tmp_path, 'train: one.txt\nval: two.txt\n')
    assert found == {'train': {FILES[0]}, 'val': {FILES[1]}}
    (tmp_path / 'one.txt').rename(tmp_path / 'train.txt')
    (tmp_path / 'two.txt').rename(tmp_path / '2007_valid.txt')
    (tmp_path / 'data.yaml').unlink()
    found, _ = sets(tmp_path, '', lists=['train.txt', '2007_valid.txt', 'words.txt'])
    assert found == {'train': {FILES[0]}, 'val': {FILES[1]}}


def test_train_and_val_of_the_same_images(tmp_path):
    """Then val is drawn from the images for training, and it is said."""
    found, account = sets(tmp_path, 'train: images\nval: images\ntest: images/second/deep\n')
    assert set(found) == {'train', 'test'}
    assert account.notes == ['val names the same images as train: val is drawn from them']
