"""Label files of YOLO and their images: by name and folder, never of another part."""

import pytest

from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.yolo_files import find_label_files
from tests.support.exports import write

BOX = '0 0.5 0.5 0.25 0.5\n'


def files(root, *names, text=BOX):
    """Write empty images and label files; find the label files."""
    for name in names:
        write(root / name, text if name.lower().endswith('.txt') else '')
    scan = scan_folder(str(root))
    return find_label_files(scan, ImageIndex(scan.images))


@pytest.mark.parametrize(
    ('image', 'label'),
    [
        ('images/a.jpg', 'labels/a.txt'),
        ('images/train/a.jpg', 'labels/train/a.txt'),
        ('train/images/a.jpg', 'train/labels/a.txt'),
        ('data/set/images/x/y/a.jpg', 'data/set/labels/x/y/a.txt'),
        ('Images/a.JPG', 'Labels/a.TXT'),
        ('JPEGImages/a.png', 'labels/a.txt'),
        ('a.v2.final.jpg', 'a.v2.final.txt'),
        ('obj_train_data/sub/a.jpg', 'obj_train_data/sub/a.txt'),
        ('images/a.jpg', 'annotations/a.txt'),
        ('pictures/a.jpg', 'boxes of yolo/a.txt'),
        ('images/a b.jpg', 'labels/a%20b.txt'),
        ('images/classes.jpg', 'labels/classes.txt'),
        ('readme.jpg', 'readme.txt'),
    ],
)
def test_an_image_and_its_label_file(tmp_path, image, label):
    """The layouts of tools, and folders of other names."""
    assert files(tmp_path, image, label).image_of == {label: image}


def test_equal_names_in_different_folders(tmp_path):
    """Each label file has the image of its own part and folder."""
    images = [f'{part}/images/{n}.jpg' for part in ('train', 'valid') for n in 'ab']
    labels = [image.replace('images', 'labels').replace('jpg', 'txt') for image in images]
    found = files(tmp_path / 'roboflow', *images, *labels).image_of
    assert found == dict(zip(labels, images, strict=True))
    images = [f'images/{part}/{n}.jpg' for part in ('train', 'val') for n in 'ab']
    labels = [image.replace('images', 'labels').replace('jpg', 'txt') for image in images]
    found = files(tmp_path / 'ultralytics', *images, *labels).image_of
    assert found == dict(zip(labels, images, strict=True))


@pytest.mark.parametrize(
    ('image', 'label', 'why'),
    [
        ('images/val/a.jpg', 'labels/train/a.txt', 'no image for this label file'),
        ('images/cam1/a.jpg', 'labels/cam2/a.txt', 'no image for this label file'),
        ('images/a.jpg', 'labels/b.txt', 'no image for this label file'),
        ('images/a.heic', 'labels/a.txt', 'images of type .heic are not read'),
    ],
)
def test_a_label_file_without_image(tmp_path, image, label, why):
    """An image of another part or folder is not taken for it."""
    found = files(tmp_path, image, label)
    assert (found.image_of, found.lost) == ({}, {label: why})


def test_two_images_of_one_name(tmp_path):
    """Both are named."""
    (why,) = files(tmp_path, 'images/a.jpg', 'images/a.png', 'labels/a.txt').lost.values()
    assert why == '2 images of this name: images/a.jpg, images/a.png'


def test_other_texts(tmp_path):
    """Captions beside images, readme files and names of classes are no label files."""
    found = files(tmp_path, 'a.jpg', 'a.txt', text='a cat on a mat\n')
    assert found.image_of == found.lost == {}
    names = ('labels/b.txt', 'labels/classes.txt', 'labels/README.dataset.txt', 'labels/log.txt')
    write(tmp_path / 'images/b.jpg', '')
    for name in names[1:]:
        write(tmp_path / name, 'cat\n')
    found = files(tmp_path, names[0])
    assert found.image_of == {'labels/b.txt': 'images/b.jpg'}
    assert (found.lost, found.other) == ({}, ['labels/log.txt'])


def test_many_empty_files_come_first(tmp_path):
    """Images without object say nothing about the format: later files do."""
    for at in range(60):
        write(tmp_path / f'images/{at:02}.jpg', '')
        write(tmp_path / f'labels/{at:02}.txt', BOX if at == 59 else '')
    assert len(files(tmp_path).image_of) == 60


def test_files_of_another_encoding_are_label_files(tmp_path):
    """So that reading them names the encoding."""
    write(tmp_path / 'a.jpg', '')
    (tmp_path / 'a.txt').write_text(BOX, encoding='utf-16')
    assert files(tmp_path).image_of == {'a.txt': 'a.jpg'}
