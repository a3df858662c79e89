"""One folder per class, in the trees that tools and people make."""

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.class_folders import find_class_folders
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.errors import UserError


def draw(root, *files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.zeros((4, 4, 3), np.uint8))
        image.save(path) if Image.registered_extensions().get(path.suffix.lower()) else path.touch()


def find(root):
    scan = scan_folder(str(root))
    return find_class_folders(scan, ImageIndex(scan.images))


def read(root):
    account = Account()
    found = find(root).read(account)
    return {image.file: (image.part, *image.labels) for image in found.images}, account


def test_folders_are_classes(tmp_path):
    """Each folder is a class; an archive's folder around them and files beside them are not."""
    draw(tmp_path, 'set/cat/a.jpg', 'set/cat/b.webp', 'set/dog/a.JPG', 'set/dog/c.gif')
    (tmp_path / 'readme.txt').touch()
    found, account = read(tmp_path)
    assert found == {
        'set/cat/a.jpg': ('all', 'cat'),
        'set/cat/b.webp': ('all', 'cat'),
        'set/dog/a.JPG': ('all', 'dog'),
        'set/dog/c.gif': ('all', 'dog'),
    }
    assert account.lines() == []


@pytest.mark.parametrize(
    ('one', 'other'),
    [('train', 'valid'), ('Training', 'Validation'), ('seg_train/seg_train', 'val'),
     ('TRAIN', 'dev')],
)  # fmt: skip
def test_names_of_parts_are_parts(tmp_path, one, other):
    """In any case and deeper, with other folders beside them: parts, never classes."""
    for part in (one, other):
        draw(tmp_path, f'{part}/cat/1.png', f'{part}/dog/1.png')
    draw(tmp_path, 'docs/banner.png')
    found, _ = read(tmp_path)
    assert sorted(found.values()) == [(p, c) for p in ('train', 'val') for c in ('cat', 'dog')]


def test_parts_below_classes(tmp_path):
    """cat/train, cat/test, dog/train, dog/test: classes with parts."""
    draw(tmp_path, *(f'{c}/{p}/1.png' for c in ('cat', 'dog') for p in ('train', 'test')))
    found, _ = read(tmp_path)
    assert found['cat/test/1.png'] == ('test', 'cat') and len(found) == 4


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        (('bus/1.png', 'car/1.png', 'train/freight/1.png', 'train/metro/1.png'), 'or a class'),
        (('Dataset/cat/1.png', 'Dataset/dog/1.png', 'Examples/1.png'), 'classes can be'),
        (('animal/cat/1.png', 'animal/dog/1.png', 'car/bus/1.png'), 'classes can be'),
        (('train/cat/1.png', 'train/dog/1.png', 'test/x/1.png', 'test/y/1.png'), 'in common'),
    ],
)
def test_unclear_folders_are_refused(tmp_path, files, message):
    """Folders that can be read in two ways: one line that says both."""
    draw(tmp_path, *files)
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'files',
    [
        ('images/1.png', 'masks/1.png'),
        ('images/1.png', 'labels/1.png'),
        ('JPEGImages/1.png', 'SegmentationClass/1.png'),
        ('cat/1.png',),
        ('1.png', '2.png'),
        (),
    ],
)
def test_what_is_no_class_folder(tmp_path, files):
    """Folders of a layout, a single class, or no folder at all are no class folders."""
    draw(tmp_path, *files)
    assert find(tmp_path) is None


def test_tool_folders_and_results_are_no_classes(tmp_path):
    """.ipynb_checkpoints, __MACOSX and output folders of this package are not looked into."""
    draw(tmp_path, 'cat/1.png', 'dog/1.png', 'cat/._1.png', '.ipynb_checkpoints/1.png')
    draw(tmp_path, '__MACOSX/cat/1.png', 'fit/run/score_maps/1.png', 'out/overlays/1.png')
    (tmp_path / 'fit/splits').mkdir()
    (tmp_path / 'fit/splits/records.json').touch()
    (tmp_path / 'out/predictions.json').touch()
    found, _ = read(tmp_path)
    assert sorted(found) == ['cat/1.png', 'dog/1.png']
    assert scan_folder(str(tmp_path)).skipped == ['__MACOSX', 'fit', 'out']


def test_images_of_types_that_are_not_read_are_lost_images(tmp_path):
    """A HEIC image in a class folder is counted, also where a class has nothing else."""
    draw(tmp_path, 'cat/1.png', 'dog/1.png', 'cow/1.heic')
    found, account = read(tmp_path)
    assert len(found) == 2
    assert account.lost_images == {'images of type .heic are not read': ['cow/1.heic']}


def test_deeper_folders_belong_to_the_class_above(tmp_path):
    """A class folder with images and folders of images: joined, and said."""
    draw(tmp_path, 'cat/1.png', 'cat/more/2.png', 'dog/1.png')
    found, account = read(tmp_path)
    assert found['cat/more/2.png'] == ('all', 'cat')
    assert account.notes == ['cat: images of its folders more belong to the class cat']


def test_a_folder_for_images_in_each_class(tmp_path):
    """Tiny ImageNet's cat/images/1.png; with annotations beside it, it is no class folder."""
    draw(tmp_path, 'cat/images/1.png', 'dog/images/2.png')
    found, _ = read(tmp_path)
    assert sorted(found.values()) == [('all', 'cat'), ('all', 'dog')]
    (tmp_path / 'cat/annotations').mkdir()
    (tmp_path / 'cat/annotations/1.xml').touch()
    assert find(tmp_path) is None


def test_blanks_around_the_name_of_a_class_folder(tmp_path):
    """train/cat and test/'cat ' are one class, counted as repaired."""
    draw(tmp_path, 'train/cat/1.jpg', 'train/dog/2.jpg', 'test/cat /3.jpg', 'test/dog/4.jpg')
    found, account = read(tmp_path)
    assert found['test/cat /3.jpg'] == ('test', 'cat')
    assert account.repairs == {'blanks around the name of a class': ['test/cat /']}


def test_a_part_with_one_class_alone(tmp_path):
    """Its images are used; test/unknown/ and test/test/, folders that Keras asks for, are not."""
    draw(tmp_path, 'train/cat/1.jpg', 'train/dog/2.jpg', 'val/cat/3.jpg', 'test/unknown/4.jpg')
    found, _ = read(tmp_path)
    assert found['val/cat/3.jpg'] == ('val', 'cat') and 'test/unknown/4.jpg' not in found


def test_a_part_with_annotations_of_another_kind_is_left_out(tmp_path):
    """Tiny ImageNet: class folders for training, images and a list for validation."""
    draw(tmp_path, 'train/n1/images/1.jpg', 'train/n2/images/2.jpg', 'val/images/3.jpg')
    (tmp_path / 'val/val_annotations.txt').write_text('3.jpg n1\n')
    assert read(tmp_path)[0] == {
        'train/n1/images/1.jpg': ('train', 'n1'),
        'train/n2/images/2.jpg': ('train', 'n2'),
    }


def test_masks_beside_the_parts(tmp_path):
    """MVTec's ground_truth/ beside train/ and test/ is no part and no class."""
    draw(tmp_path, 'train/good/1.png', 'test/good/2.png', 'test/hole/3.png')
    draw(tmp_path, 'ground_truth/hole/3.png')
    found, _ = read(tmp_path)
    assert set(found.values()) == {('train', 'good'), ('test', 'good'), ('test', 'hole')}


def test_dates_are_no_classes(tmp_path):
    """Folders of days are passed over above and below classes; alone, they say nothing."""
    draw(tmp_path / 'a', 'cat/2024-01-02/1.jpg', 'dog/2024-01-02/2.jpg')
    draw(tmp_path / 'b', '20240102/cat/1.jpg', '20240103/dog/2.jpg', '20240103/cat/3.jpg')
    for root in ('a', 'b'):
        assert set(read(tmp_path / root)[0].values()) == {('all', 'cat'), ('all', 'dog')}
    draw(tmp_path / 'c', '2024_01/1.jpg', '2024_02/2.jpg')
    assert find(tmp_path / 'c') is None


def test_folders_that_are_no_class_are_said(tmp_path):
    """Unsorted images are not used; a class whose files are no images is not lost silently."""
    draw(tmp_path, 'cat/1.jpg', 'dog/2.jpg', 'unlabeled/3.jpg', 'bird/4.mp4')
    found, account = read(tmp_path)
    assert len(found) == 2
    assert account.lines() == [
        '1  file not used: image in the folder unlabeled (unlabeled/3.jpg)',
        'note: folders without images are no classes: bird',
    ]


def test_classes_of_parts_that_differ_in_case(tmp_path):
    """train/cat and test/Cat are read: the note on case says so; cat and cats are refused."""
    draw(tmp_path / 'a', 'train/cat/1.jpg', 'train/dog/2.jpg', 'test/Cat/3.jpg', 'test/Dog/4.jpg')
    assert len(read(tmp_path / 'a')[0]) == 4
    draw(tmp_path / 'b', 'train/cat/1.jpg', 'train/dog/2.jpg', 'test/cats/3.jpg', 'test/a/4.jpg')
    with pytest.raises(UserError, match=r'no class in common \(test has a, cats\)'):
        read(tmp_path / 'b')


def test_what_is_below_a_part_is_no_part_and_no_layout(tmp_path):
    """train/images beside train/depth are no classes; train/test beside train/cat is unclear."""
    draw(tmp_path / 'a', 'train/images/1.jpg', 'train/depth/2.jpg', 'test/images/3.jpg')
    assert find(tmp_path / 'a') is None
    draw(tmp_path / 'b', 'train/cat/1.jpg', 'train/test/2.jpg', 'val/cat/3.jpg', 'val/test/4.jpg')
    with pytest.raises(UserError, match='the folder test in one of .* a part or a class'):
        read(tmp_path / 'b')
