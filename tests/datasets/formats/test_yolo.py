"""YOLO's data as a whole: classes, negatives, parts, what has no partner."""

import pytest

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.read_data import read_data
from tcnn_mm.datasets.formats.yolo import find_yolo
from tcnn_mm.errors import UserError
from tests.support.exports import draw, label_img, label_img_yolo, roboflow_yolo, write

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


def parts(found):
    return {image.file: image.part for image in found.images}


def test_objects_have_the_names_of_their_numbers(tmp_path):
    """Boxes are in fractions; an image without label file is a negative, an empty file is noted."""
    folder(tmp_path, f'{BOX}1.0 0.5 0.5 0.1 0.1\n', images=('a', 'b', 'c'))
    write(tmp_path / 'c.txt', '\n')
    found, account = read(tmp_path)
    items = found.images[0].objects
    assert [(i.name, i.relative, i.where) for i in items] == [
        ('cat', True, 'a.txt, line 1'),
        ('dog', True, 'a.txt, line 2'),
    ]
    assert found.classes == ['cat', 'dog']
    assert [image.annotated for image in found.images] == [True, False, True]
    assert account.notes == ['1 label files are empty: none of the classes is on their images']


def test_a_number_without_name_is_refused(tmp_path):
    """The file, the line and the names that there are."""
    with pytest.raises(UserError, match='a.txt, line 2: class 2 has no name.*0 cat, 1 dog'):
        read(folder(tmp_path, f'{BOX}2 0.5 0.5 0.1 0.1\n'))
    with pytest.raises(UserError, match='a.txt, line 3: .*expected "class x y width height"'):
        read(folder(tmp_path, f'{BOX}\n0 0.5 0.5\n'))
    (tmp_path / 'a.txt').write_text(BOX, encoding='utf-16')
    with pytest.raises(UserError, match='a.txt: this is UTF-16'):
        read(tmp_path)


def test_duplicate_lines_are_one_object(tmp_path):
    """The second one is removed and counted."""
    found = read_data(str(folder(tmp_path, BOX * 2)))
    assert [len(image.checked.image.objects) for image in found.images] == [1, 0]
    assert list(found.account.repairs) == ['duplicate object removed']


def test_key_points(tmp_path):
    """Where data.yaml says kpt_shape, the numbers after the box are points."""
    folder(tmp_path, '0 0.5 0.5 0.25 0.5 0.9 0.9 2\n', names='')
    write(tmp_path / 'data.yaml', 'kpt_shape: [1, 3]\nnames: [cat]\n')
    assert read(tmp_path)[0].images[0].objects[0].box == (0.375, 0.25, 0.625, 0.75)


def test_a_label_file_without_image_is_a_loss(tmp_path):
    """It is counted; more than 2 % stop the reading."""
    roboflow_yolo(tmp_path)
    (tmp_path / 'train/images/photo 0.jpg').unlink()
    _, account = read(tmp_path)
    assert account.lost_images == {'no image for this label file': ['train/labels/photo 0.txt']}
    with pytest.raises(UserError, match='1 of 8 annotated images.*--allow-missing'):
        read_data(str(tmp_path))


def test_labels_alone(tmp_path):
    """An export without its images."""
    write(tmp_path / 'labels/a.txt', BOX)
    with pytest.raises(UserError, match='1 label files in YOLO format, no image: export the im'):
        read_data(str(tmp_path))


def test_two_label_files_of_one_image_are_refused(tmp_path):
    """One beside the image, one in labels/."""
    write(folder(tmp_path) / 'labels/a.txt', BOX)
    with pytest.raises(UserError, match='a.txt: labels/a.txt is for the same image a.jpg'):
        read(tmp_path)


def test_parts_by_data_yaml(tmp_path):
    """Folders that say no part are used only where data.yaml names them; the others are counted."""
    for name in ('first', 'second', 'third', 'test'):
        draw(tmp_path / f'images/{name}/{name}.jpg')
        write(tmp_path / f'labels/{name}/{name}.txt', BOX)
    write(tmp_path / 'data.yaml', 'train: images/first\nval: images/second\nnames: [cat]\n')
    found, account = read(tmp_path)
    used = {'images/first/first.jpg': 'train', 'images/second/second.jpg': 'val'}
    assert parts(found) == used | {'images/test/test.jpg': 'test'}
    reason = 'image of no part of data.yaml or of the lists'
    assert account.unused == {reason: ['images/third/third.jpg']}
    found, account = read(tmp_path / 'data.yaml')
    assert parts(found) == used and len(account.unused[reason]) == 2


def test_parts_by_lists(tmp_path):
    """A list for the test alone leaves the others for all other parts."""
    folder(tmp_path)
    write(tmp_path / 'b.txt', BOX)
    write(tmp_path / 'test.txt', '/elsewhere/b.jpg\n')
    found, account = read(tmp_path)
    assert parts(found) == {'a.jpg': 'all', 'b.jpg': 'test'} and not account.unused


def test_an_unlabelled_part_is_no_negative(tmp_path):
    """Images of a folder without any label file are not used, as COCO's test images."""
    roboflow_yolo(tmp_path)
    for file in (tmp_path / 'test/labels').iterdir():
        file.unlink()
    found, _ = read(tmp_path)
    assert set(parts(found).values()) == {'train', 'val'}
    assert all(image.annotated for image in found.images)


def test_a_data_yaml_without_its_data(tmp_path):
    """Of a data set that is elsewhere, or of none, one line says what it names."""
    write(tmp_path / 'coco.yaml', 'path: ../coco\ntrain: images/train\nnames: [cat]\n')
    with pytest.raises(UserError, match='coco.yaml: no label files.*train: images/train.*not foll'):
        read_data(str(tmp_path / 'coco.yaml'))
    write(tmp_path / 'data.yaml', 'nc: 3\n')
    with pytest.raises(UserError, match='data.yaml: no annotations of a known format'):
        read_data(str(tmp_path / 'data.yaml'))


@pytest.mark.parametrize('file', ['data.yaml', 'obj.data', 'obj.names'])
def test_files_that_may_be_given(tmp_path, file):
    """In place of the folder."""
    folder(tmp_path)
    write(tmp_path / file, dict(obj='cat\ndog\n').get(file[:3], 'names: [cat, dog]\n'))
    assert len(read(tmp_path / file)[0].images) == 2
    assert find(tmp_path / 'a.txt') is None


@pytest.mark.parametrize('text', ['a story\n', '1 2\n', 'names: [a]\n', ''])
def test_other_texts_are_no_labels(tmp_path, text):
    """A text beside an image whose lines are no boxes makes no YOLO data."""
    assert find(folder(tmp_path, text)) is None


def test_the_same_boxes_in_voc_format(tmp_path):
    """labelImg can save both: boxes that agree are no choice, others are."""
    label_img(tmp_path)
    label_img_yolo(tmp_path)
    assert 'the same labels: 8 text files in YOLO format' in read_data(str(tmp_path)).description
    write(tmp_path / 'photo 0.txt', BOX)
    with pytest.raises(UserError, match='--format voc.*--format yolo'):
        read_data(str(tmp_path))
