"""YOLO's label files: what a line means, names of classes, parts, and what has no partner."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.yolo import find_yolo
from tcnn_mm.errors import UserError
from tests.support.exports import draw, roboflow_yolo, write

BOX = '0 0.5 0.5 0.25 0.5\n'


def folder(root, lines=BOX, names='cat\ndog\n', images=('a', 'b')):
    """Images with the first one labelled, in one folder, and classes.txt."""
    for name in images:
        draw(root / f'{name}.jpg')
    write(root / 'a.txt', lines)
    if names:
        write(root / 'classes.txt', names)
    return root


def find(path):
    scan = scan_folder(str(path))
    return find_yolo(scan, ImageIndex(scan.images))


def read(path):
    account = Account()
    return find(path).read(account), account


def test_a_box_is_centre_and_size_in_fractions(tmp_path):
    """The corners of the box, by class name; an image without label file is a negative."""
    found, _ = read(folder(tmp_path))
    (item,) = found.images[0].objects
    assert (item.name, item.box, item.relative) == ('cat', (0.375, 0.25, 0.625, 0.75), True)
    assert found.classes == ['cat', 'dog'] and not found.images[1].annotated


def test_a_polygon_becomes_its_box(tmp_path):
    """Segmentation labels: the box around the corners."""
    found, _ = read(folder(tmp_path, '1 0.1 0.2 0.6 0.2 0.3 0.9\n'))
    assert found.images[0].objects[0].box == (0.1, 0.2, 0.6, 0.9)


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (f'{BOX}2 0.5 0.5 0.1 0.1\n', 'a.txt, line 2: class 2, but 2 names'),
        (f'{BOX}0 50 50 20 20\n', 'line 2: .*not in fractions'),
        (f'{BOX}0 0.5 0.5 0.2 0.2 0.9\n', 'line 2: 5 numbers.*confidence'),
        (f'{BOX}cat 0.5 0.5 0.2 0.2\n', 'line 2: .*expected "class x y width height"'),
    ],
)
def test_what_is_no_box_is_named(tmp_path, lines, message):
    """A class without name, pixels, a prediction, a word: one line with file and line number."""
    with pytest.raises(UserError, match=message) as caught:
        read(folder(tmp_path, lines))
    assert '\n' not in str(caught.value)


def test_names_of_classes(tmp_path):
    """A list or numbers in data.yaml, or a text file; none, or two that differ, are errors."""
    folder(tmp_path, names='')
    with pytest.raises(UserError, match='classes.txt'):
        read(tmp_path)
    write(tmp_path / 'data.yaml', 'names: {0: cat, 1: dog}\n')
    assert read(tmp_path)[0].classes == ['cat', 'dog']
    write(tmp_path / 'other.yaml', 'names: [dog, cat]\n')
    with pytest.raises(UserError, match='other names of classes'):
        read(tmp_path)


def test_a_label_file_without_image_is_a_loss(tmp_path):
    """In a folder called labels; text files elsewhere are no labels."""
    roboflow_yolo(tmp_path)
    (tmp_path / 'train/images/photo 0.jpg').unlink()
    write(tmp_path / 'notes.txt', 'nothing')
    _, account = read(tmp_path)
    assert account.lost_images == {'no image for this label file': ['train/labels/photo 0.txt']}


def test_parts_by_data_yaml_and_lists(tmp_path):
    """Entries that name folders without a word for a part, and darknet's lists of images."""
    for part in ('first', 'second'):
        draw(tmp_path / f'images/{part}/{part}.jpg')
        write(tmp_path / f'labels/{part}/{part}.txt', BOX)
    text = 'path: /elsewhere/set\ntrain: images/first\nval:\n  - images/second\nnames: [cat]\n'
    write(tmp_path / 'data.yaml', text)
    found, _ = read(tmp_path)
    assert [image.part for image in found.images] == ['train', 'val']
    (given_file, _) = read(tmp_path / 'data.yaml')
    assert [image.part for image in given_file.images] == ['train', 'val']
    write(tmp_path / 'data.yaml', 'names: [cat]\n')
    write(tmp_path / 'test.txt', '/elsewhere/images/first/first.jpg\n')
    found, _ = read(tmp_path)
    assert [image.part for image in found.images] == ['test', 'all']


@pytest.mark.parametrize('text', ['a story\n', '1 2\n', 'names: [a]\n', ''])
def test_other_texts_are_no_labels(tmp_path, text):
    """A text beside an image whose lines are no boxes makes no YOLO data."""
    assert find(folder(tmp_path, text)) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=60) | st.lists(st.floats(-3, 3), max_size=8).map(
    lambda values: ' '.join(['0', *map(repr, values)])))  # fmt: skip
def test_any_lines(tmp_path_factory, text):
    """Any text is read as objects, or is refused in one line; nothing is passed over."""
    root = folder(tmp_path_factory.mktemp('y'), BOX, images=('a', 'b'))
    write(root / 'b.txt', text)
    try:
        found, _ = read(root)
    except UserError as error:
        assert '\n' not in str(error) and 'b.txt' in str(error)
        return
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(found.images[1].objects) == len(lines)
