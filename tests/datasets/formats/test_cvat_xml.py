"""CVAT's XML: shapes become objects, tags become image labels."""

import pytest

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.cvat_xml import find_cvat
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.errors import UserError
from tests.support.exports import draw, write

LABELS = '<meta><label><name>dog</name></label><label><name>cat</name></label></meta>'


def read(root, *images):
    """The reading of annotations.xml with these <image> elements, all of a.jpg or b.jpg."""
    for name in 'ab':
        draw(root / 'images' / f'{name}.jpg')
    body = ''.join(
        f'<image id="{n}" name="{"ab"[n]}.jpg" width="64" height="48" {more}>{shapes}</image>'
        for n, (more, shapes) in enumerate(images)
    )
    write(root / 'annotations.xml', f'<annotations>{LABELS}{body}</annotations>')
    scan = scan_folder(str(root))
    account = Account()
    return find_cvat(scan, ImageIndex(scan.images)).read(account), account


def test_shapes_become_objects(tmp_path):
    """Boxes and the boxes around polygons; occluded is truncated; a subset is a part."""
    found, account = read(
        tmp_path,
        (
            'subset="Train"',
            '<box label="cat" xtl="1" ytl="2.5" xbr="30" ybr="40" occluded="1"/>'
            '<polygon label="dog" points="5,6;20,9;7,30" occluded="0"/>',
        ),
        ('', ''),
    )
    first, second = found.images
    assert [(o.name, o.box, o.truncated) for o in first.objects] == [
        ('cat', (1, 2.5, 30, 40), True),
        ('dog', (5, 6, 20, 30), False),
    ]
    assert (first.part, first.size_hw, second.part) == ('train', (48, 64), 'all')
    assert found.classes == ['dog', 'cat'] and found.boxes
    assert second.annotated and not second.objects
    assert account.notes == ['1 of 2 images have no shape: used as images of no class']


def test_tags_are_image_labels(tmp_path):
    """Without any shape, tags are the labels, each once; an image without is a negative."""
    tags = '<tag label="cat"/><tag label="dog"/><tag label="cat"/>'
    found, account = read(tmp_path, ('', tags), ('', ''))
    assert not found.boxes and [image.labels for image in found.images] == [['cat', 'dog'], []]
    assert account.notes == ['1 of 2 images have no tag: used as images of no class']


def test_tags_beside_shapes_are_noted(tmp_path):
    """Objects count; a tag is no object."""
    found, account = read(
        tmp_path,
        ('', '<tag label="dog"/><box label="cat" xtl="1" ytl="2" xbr="9" ybr="9"/>'),
        ('', '<tag label="dog"/>'),
    )
    assert found.classes == ['cat'] and all(not image.labels for image in found.images)
    assert account.notes == [
        '2 images have tags beside boxes: the tags are not used',
        '1 of 2 images have no shape: used as images of no class',
    ]


@pytest.mark.parametrize(
    ('shapes', 'message'),
    [
        ('<box label="cat" xtl="1" ytl="2" xbr="x" ybr="4"/>', "box 1, xbr is 'x', expected a"),
        ('<tag label="dog"/><box xtl="1" ytl="2" xbr="9" ybr="9"/>', 'box 2 has no label'),
        ('<tag label=" "/>', 'tag 1 has no label'),
    ],
)
def test_what_is_no_object_is_named(tmp_path, shapes, message):
    """The file, the image and the shape are in one line."""
    with pytest.raises(UserError, match=f'annotations.xml: image 0 .*{message}') as caught:
        read(tmp_path, ('', shapes))
    assert '\n' not in str(caught.value)


def test_tasks_beside_each_other(tmp_path):
    """Each file has the images of its own folder, also where their names are equal."""
    for name in 'pq':
        read(tmp_path / name, ('', '<box label="cat" xtl="1" ytl="2" xbr="9" ybr="9"/>'), ('', ''))
    scan = scan_folder(str(tmp_path))
    found = find_cvat(scan, ImageIndex(scan.images)).read(Account())
    assert [image.file for image in found.images] == [
        f'{task}/images/{name}.jpg' for task in 'pq' for name in 'ab'
    ]


def test_broken_and_other_files(tmp_path):
    """A file that is cut off is refused; another tool's root of this name is not CVAT's."""
    draw(tmp_path / 'a.jpg')
    write(tmp_path / 'annotations.xml', f'<annotations>{LABELS}<image id="0"')
    scan = scan_folder(str(tmp_path))
    with pytest.raises(UserError, match='annotations.xml: broken XML'):
        find_cvat(scan, ImageIndex(scan.images)).read(Account())
    write(tmp_path / 'annotations.xml', '<annotations><annotation/></annotations>')
    assert find_cvat(scan, ImageIndex(scan.images)) is None


def test_an_image_that_is_missing_is_a_loss(tmp_path):
    """The name of an image that is not there is counted."""
    read(tmp_path, ('', ''))
    (tmp_path / 'images/a.jpg').unlink()
    scan = scan_folder(str(tmp_path))
    account = Account()
    find_cvat(scan, ImageIndex(scan.images)).read(account)
    assert account.lost_images == {'no such image': ['annotations.xml: image 0 (a.jpg)']}


def test_annotations_alone(tmp_path):
    """CVAT exports without images unless asked: the option is named."""
    write(tmp_path / 'annotations.xml', f'<annotations>{LABELS}</annotations>')
    scan = scan_folder(str(tmp_path))
    with pytest.raises(UserError, match='annotations.xml: no image.*"Save images"'):
        find_cvat(scan, ImageIndex(scan.images)).read(Account())


def test_a_video_is_refused(tmp_path):
    """Tracks of CVAT for video: the format to export is named."""
    draw(tmp_path / 'a.jpg')
    write(tmp_path / 'annotations.xml', '<annotations><track id="0"/></annotations>')
    scan = scan_folder(str(tmp_path))
    with pytest.raises(UserError, match='CVAT for images 1.1'):
        find_cvat(scan, ImageIndex(scan.images)).read(Account())
