"""Folders of any format become one data set; every file is used or counted."""

import re
import shutil

import pytest

from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tests.support.own_data import write_folders, write_voc


def test_images_boxes_and_ids(tmp_path):
    """Ids are paths below the root; boxes are checked; the description says what was found."""
    write_voc(tmp_path / 'data')
    found = read_data(str(tmp_path / 'data'))
    assert found.boxes and found.classes == ['blue', 'red'] and len(found.images) == 8
    first = found.images[0]
    assert first.id == 'JPEGImages/image_0.png' and first.path == str(tmp_path / 'data' / first.id)
    assert '8 XML files in VOC format' in found.description and found.account.lines() == []


def test_several_roots_are_one_data_set(tmp_path):
    """Ids begin with the root's name; boxes beside image labels are refused, a root given twice."""
    for name in ('one', 'two'):
        write_voc(tmp_path / name)
    found = read_data([str(tmp_path / 'one'), str(tmp_path / 'two')])
    ids = [image.id for image in found.images]
    assert len(set(ids)) == 16 and ids[0].startswith('one/') and ids[-1].startswith('two/')
    with pytest.raises(UserError, match='more than once'):
        read_data([str(tmp_path / 'one')] * 2)
    write_folders(tmp_path / 'labels')
    with pytest.raises(UserError, match='labels: image labels, no boxes'):
        read_data([str(tmp_path / 'one'), str(tmp_path / 'labels')])


def test_roots_of_one_name(tmp_path):
    """a/data and b/data: ids begin with the path that tells them apart."""
    for name in ('a', 'b'):
        write_voc(tmp_path / name / 'data')
    found = read_data([str(tmp_path / name / 'data') for name in ('a', 'b')])
    assert {image.id.split('/JPEG')[0] for image in found.images} == {'a/data', 'b/data'}


def test_every_image_file_is_accounted_for(tmp_path):
    """Used, a mask, or named by no annotation: nothing is passed over in silence."""
    root = write_voc(tmp_path / 'data')
    shutil.copytree(root / 'JPEGImages', root / 'SegmentationClass')
    (root / 'docs').mkdir()
    shutil.copy(root / 'JPEGImages/image_0.png', root / 'docs/banner.png')
    (root / 'Annotations/image_7.xml').unlink()
    (root / 'ImageSets/Main/trainval.txt').unlink()
    found = read_data(str(root))
    assert len(found.images) == 8
    assert found.account.lines() == [
        '8  file not used: mask (SegmentationClass/image_0.png)',
        '1  file not used: image that no annotation names (docs/banner.png)',
        'note: 1 of 8 images have no annotation: used as images of no class (--unannotated skip '
        'leaves them out)',
    ]


@pytest.mark.parametrize('annotated', [3, 5])
def test_images_without_annotation(tmp_path, annotated):
    """A minority is used as images of no class; what a majority is has to be said."""
    root = write_voc(tmp_path / 'data')
    (root / 'ImageSets/Main/trainval.txt').unlink()
    for number in range(annotated, 8):
        (root / f'Annotations/image_{number}.xml').unlink()
    if annotated == 3:
        with pytest.raises(UserError, match='5 of 8 images have no annotation.*--unannotated skip'):
            read_data(str(root))
    else:
        assert len(read_data(str(root)).images) == 8
    for decision, count in (('negative', 8), ('skip', annotated)):
        assert len(read_data(str(root), ReadOptions(unannotated=decision)).images) == count
    with pytest.raises(UserError, match='the first is JPEGImages/image_'):
        read_data(str(root), ReadOptions(unannotated='refuse'))


def test_a_loss_stops_unless_it_is_allowed(tmp_path):
    """One of eight images is gone: an error with file and remedy; --allow-missing goes on."""
    root = write_voc(tmp_path / 'data')
    (root / 'JPEGImages/image_3.png').unlink()
    with pytest.raises(UserError, match='1 of 8 annotated images.*image_3.*--allow-missing'):
        read_data(str(root))
    assert len(read_data(str(root), ReadOptions(allow_missing=True)).images) == 7


def test_a_class_that_loses_everything_stops(tmp_path):
    """Its last image is lost: an error; allowed, the class is left out and said."""
    root = write_voc(tmp_path / 'data', {'trainval': [f'image_{i}' for i in (0, 2, 4, 1)]})
    (root / 'JPEGImages/image_1.png').write_bytes(b'no image')
    with pytest.raises(UserError, match='cannot be used'):
        read_data(str(root))
    found = read_data(str(root), ReadOptions(allow_missing=True))
    assert found.classes == ['blue'] and any(
        'classes red' in line for line in found.account.lines()
    )


def test_notes_on_classes(tmp_path):
    """Classes that differ in case, and classes of one or two images, are said."""
    root = write_folders(tmp_path / 'data')
    (root / 'Red').mkdir()
    (root / 'red/image_1.png').rename(root / 'Red/image_1.png')
    notes = read_data(str(root)).account.lines()
    assert any('differ only in case: Red, red' in line for line in notes)
    assert any('too few images' in line and 'Red (1)' in line for line in notes)


@pytest.mark.parametrize(
    ('other', 'shown'),
    [('red\u200b', 'in case, blanks, .*: red, red\\\\u200b'), ('r ed', '"r ed", red'),
     ('ｒed', 'red, ｒed')],
)  # fmt: skip
def test_classes_that_look_alike_are_said(tmp_path, other, shown):
    """Invisible characters, blanks, full-width letters: two classes of one name are a note."""
    root = write_folders(tmp_path / 'data')
    (root / other).mkdir()
    for name in ('image_1.png', 'image_3.png'):
        (root / 'red' / name).rename(root / other / name)
    notes = [line for line in read_data(str(root)).account.lines() if 'differ' in line]
    assert len(notes) == 1 and re.search(shown, notes[0])


def test_two_unicode_forms_of_a_name_are_one_class(tmp_path):
    """As macOS and Linux write accents; what is written in the other form is counted."""
    composed, apart = 'caf\u00e9', 'cafe\u0301'
    root = write_voc(tmp_path / 'data')
    for at, xml in enumerate(sorted((root / 'Annotations').glob('*.xml'))):
        xml.write_text(
            xml.read_text().replace('<name>red<', f'<name>{(composed, apart)[at // 4]}<')
        )
    found = read_data(str(root))
    assert found.classes == ['blue', composed]
    names = {item.name for one in found.images for item in one.checked.image.objects}
    assert names == {'blue', composed}
    assert {reason: len(e) for reason, e in found.account.repairs.items()} == {
        'accents of the class name in another Unicode form': 2
    }
    assert not [note for note in found.account.notes if 'differ' in note]


def test_an_image_of_two_parts(tmp_path):
    """val and test share images: test keeps them, and it is said; train and test are an error."""
    ids = [f'image_{i}' for i in range(8)]
    root = write_voc(tmp_path / 'data', dict(train=ids[:4], val=ids[4:], test=ids[6:]))
    found = read_data(str(root))
    parts = [image.checked.image.part for image in found.images]
    assert [parts.count(part) for part in ('train', 'val', 'test')] == [4, 2, 2]
    assert any('2 images are in val and in test' in line for line in found.account.lines())
    root = write_voc(tmp_path / 'bad', dict(train=ids[:4], test=ids[3:]))
    with pytest.raises(UserError, match='image_3.png: annotated 2 times, for test, train'):
        read_data(str(root))


def test_no_annotation_no_object(tmp_path):
    """An empty folder, images alone, annotations without object: one line each."""
    with pytest.raises(UserError, match='found no file; known are VOC'):
        read_data(str(tmp_path))
    with pytest.raises(UserError, match='no data'):
        read_data(str(tmp_path / 'gone'))
    root = write_voc(tmp_path / 'data')
    for xml in (root / 'Annotations').iterdir():
        text = xml.read_text()
        xml.write_text(text[: text.index('<object>')] + '</annotation>')
    with pytest.raises(UserError, match='no object in the annotations'):
        read_data(str(root))


def test_roots_that_have_images_in_common(tmp_path):
    """A folder below another, or a link to it, would put one image into two parts: an error."""
    write_folders(tmp_path / 'one' / 'two')
    (tmp_path / 'link').symlink_to(tmp_path / 'one')
    for other in ('one/two', 'link'):
        with pytest.raises(UserError, match='this image is in .*one and in .*; give folders'):
            read_data([str(tmp_path / 'one'), str(tmp_path / other)])


def test_duplicates_of_several_roots_are_noted(tmp_path):
    """A copy of a root's images in another root is found as within one root."""
    for name in ('one', 'two'):
        write_voc(tmp_path / name)
    roots = [str(tmp_path / name) for name in ('one', 'two')]
    notes = read_data(roots, ReadOptions(decode=True)).account.notes
    assert any('one/JPEGImages/image_0.png = two/JPEGImages/image_0.png' in n for n in notes)


@pytest.mark.parametrize('place', ['2024-01-0{}', 'site/cam{}', 'cam{}/a'])
def test_folders_of_images_do_not_hide_their_boxes(tmp_path, place):
    """XML files beside images in folders of days, or of cameras that are no clear classes."""
    write_voc(tmp_path / 'voc')
    for number, image in enumerate(sorted((tmp_path / 'voc/JPEGImages').iterdir())):
        folder = tmp_path / 'data' / place.format(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, folder)
        shutil.copy(tmp_path / f'voc/Annotations/{image.stem}.xml', folder)
    found = read_data(str(tmp_path / 'data'))
    assert found.boxes and len(found.images) == 8 and found.classes == ['blue', 'red']


def test_images_of_one_name_are_one_reason(tmp_path):
    """A loss names its first places, not every pair of images."""
    root = write_voc(tmp_path / 'one')
    shutil.rmtree(root / 'ImageSets')
    shutil.copytree(root / 'JPEGImages', root / 'more')
    with pytest.raises(UserError, match='8 × 2 images of this name for this XML') as error:
        read_data(str(root))
    assert len(str(error.value)) < 400


def test_two_annotations_of_one_image_are_named(tmp_path):
    """A copy of the annotation folder: both files and what to do, no part where there is none."""
    root = write_voc(tmp_path / 'data')
    shutil.rmtree(root / 'ImageSets')
    shutil.copytree(root / 'Annotations', root / 'Annotations_old')
    said = (
        'annotated 2 times, in Annotations/image_0.xml, Annotations_old/.* such images.; keep one'
    )
    with pytest.raises(UserError, match=said):
        read_data(str(root))
