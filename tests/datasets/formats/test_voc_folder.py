"""VOC's XML files and images are read in the trees that tools leave."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.voc_folder import find_voc
from tcnn_mm.errors import UserError
from tests.support.own_data import SHAPE, drawn
from tests.support.voc_folder import voc_xml


def read(root):
    scan = scan_folder(str(root))
    reading = find_voc(scan, ImageIndex(scan.images))
    account = Account()
    return reading.read(account), account


def write(root, images='JPEGImages', xmls='Annotations', count=4, prefix='', first=0):
    """Images and XML files in two folders below `root`."""
    for name, pixels, class_name, box in drawn(first + count)[first:]:
        for folder, suffix in ((images, '.png'), (xmls, '.xml')):
            path = root / folder / f'{prefix}{name}{suffix}'
            path.parent.mkdir(parents=True, exist_ok=True)
            if suffix == '.png':
                Image.fromarray(pixels).save(path)
            else:
                path.write_text(voc_xml([dict(name=class_name, box=box)], SHAPE))
    return root


@pytest.mark.parametrize(
    ('images', 'xmls'),
    [('JPEGImages', 'Annotations'), ('images', 'annotations'), ('images', 'Annotations'),
     ('.', '.'), ('img', 'xml'), ('export/JPEGImages', 'export/Annotations')],
)  # fmt: skip
def test_where_xml_files_and_images_are(tmp_path, images, xmls):
    """Two folders of any usual name, or one folder for both (labelImg): the same objects."""
    found, account = read(write(tmp_path, images, xmls))
    assert len(found.images) == 4 and found.boxes and found.classes == ['blue', 'red']
    (name, _, class_name, (x1, y1, x2, y2)) = drawn(1)[0]
    first = found.images[0]
    assert first.file.endswith(f'{name}.png') and (first.part, first.size_hw) == ('all', SHAPE)
    (item,) = first.objects
    assert (item.name, item.box) == (class_name, (x1 - 1, y1 - 1, x2, y2))
    assert account.lines() == []


@pytest.mark.parametrize('layout', [('.', '.'), ('JPEGImages', 'Annotations')])
def test_folders_named_like_parts_are_parts(tmp_path, layout):
    """train/, Valid/ and test/ of a Roboflow export, with the same file names: three parts."""
    for part, count in (('train', 4), ('Valid', 2), ('test', 1)):
        write(tmp_path / part, *layout, count=count)
    found, _ = read(tmp_path)
    parts = [image.part for image in found.images]
    assert (parts.count('train'), parts.count('val'), parts.count('test')) == (4, 2, 1)
    assert len({image.file for image in found.images}) == 7


def test_several_trees_are_one_data_set(tmp_path):
    """VOC2007 with lists and VOC2012 without: both are used, equal names are two images."""
    write(tmp_path / 'VOCdevkit/VOC2007')
    write(tmp_path / 'VOCdevkit/VOC2012', count=2)
    lists = tmp_path / 'VOCdevkit/VOC2007/ImageSets/Main'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('image_0\nimage_1\n')
    (lists / 'trainval.txt').write_text('image_0\nimage_1\nimage_2\n')
    (lists / 'blue_train.txt').write_text('image_0  1\nimage_1 -1\n')
    found, account = read(tmp_path)
    assert [image.part for image in found.images] == ['train'] * 3 + ['all'] * 2
    assert account.lines() == [
        '1  file not used: image in none of the lists (VOCdevkit/VOC2007/JPEGImages/image_3.png)'
    ]


@pytest.mark.parametrize('place', ['ImageSets/Main', 'ImageSets', '.'])
@pytest.mark.parametrize('name', ['image_0', 'image_0.png', 'JPEGImages/image_0.png', './image_0'])
def test_lists_in_any_place_and_form_of_ids(tmp_path, place, name):
    """Lists of ImageSets/Main, ImageSets or the root; ids with and without extension or folder."""
    write(tmp_path)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / 'Train.txt').write_bytes(f'\ufeff{name}\r\n\r\n'.encode())
    found, _ = read(tmp_path)
    assert [(image.file, image.part) for image in found.images] == [
        ('JPEGImages/image_0.png', 'train')
    ]


def test_images_in_folders_of_the_tree(tmp_path):
    """JPEGImages/cam1/a.png belongs to Annotations/cam1/a.xml, not to cam2's."""
    for cam in ('cam1', 'cam2'):
        write(tmp_path, count=1, first=int(cam == 'cam2'), prefix=f'{cam}/same_')
    for cam in ('cam1', 'cam2'):
        for folder, suffix in (('JPEGImages', '.png'), ('Annotations', '.xml')):
            (path,) = (tmp_path / folder / cam).iterdir()
            path.rename(path.with_name(f'a{suffix}'))
    found, _ = read(tmp_path)
    assert [(i.file, i.objects[0].name) for i in found.images] == [
        ('JPEGImages/cam1/a.png', 'blue'),
        ('JPEGImages/cam2/a.png', 'red'),
    ]


def test_files_by_any_suffix(tmp_path):
    """.XML, .JPG, .webp and a.jpg.xml are read as any other."""
    write(tmp_path)
    xmls, images = tmp_path / 'Annotations', tmp_path / 'JPEGImages'
    (xmls / 'image_0.xml').rename(xmls / 'image_0.XML')
    (xmls / 'image_1.xml').rename(xmls / 'image_1.png.xml')
    for number, suffix in ((2, '.webp'), (3, '.JPG')):
        path = images / f'image_{number}.png'
        Image.open(path).convert('RGB').save(path.with_suffix(suffix), None)
        path.unlink()
    found, account = read(tmp_path)
    assert len(found.images) == 4 and all(image.objects for image in found.images)
    assert account.lines() == []


def test_what_has_no_partner_is_counted(tmp_path):
    """An XML file without image is lost; an image without XML is a negative; masks are neither."""
    write(tmp_path)
    (tmp_path / 'Annotations/image_0.xml').unlink()
    (tmp_path / 'JPEGImages/image_1.png').unlink()
    shutil.copytree(tmp_path / 'JPEGImages', tmp_path / 'SegmentationClass')
    found, account = read(tmp_path)
    assert [len(image.objects) for image in found.images] == [0, 1, 1]
    assert [image.annotated for image in found.images] == [False, True, True]
    assert account.lost_images == {
        'no image of this name for this XML file': ['Annotations/image_1.xml']
    }


def test_an_unclear_image_is_not_a_negative(tmp_path):
    """Two images of one name: the XML file is lost, and neither image is used without it."""
    write(tmp_path)
    shutil.copy(tmp_path / 'JPEGImages/image_0.png', tmp_path / 'JPEGImages/image_0.bmp')
    found, account = read(tmp_path)
    assert all(image.annotated for image in found.images) and total(account.lost_images) == 1


def test_a_part_without_annotations_is_left_out(tmp_path):
    """VOC2012's test list: images without a single XML file are not negatives."""
    write(tmp_path)
    (tmp_path / 'ImageSets/Main').mkdir(parents=True)
    for part, names in (('train', 'image_0\nimage_1'), ('test', 'image_2\nimage_3')):
        (tmp_path / f'ImageSets/Main/{part}.txt').write_text(names)
    for number in (2, 3):
        (tmp_path / f'Annotations/image_{number}.xml').unlink()
    found, account = read(tmp_path)
    assert len(found.images) == 2 and all(image.annotated for image in found.images)
    assert account.notes == ['test: none of its 2 images has an XML file; not used']


@pytest.mark.parametrize(
    'box', [(40, 30, 10, 20), (40, 20, 10, 30), (10, 30, 40, 20)], ids=['both', 'x', 'y']
)
def test_corners_in_any_order(tmp_path, box):
    """A box drawn from its lower right corner is the same box."""
    Image.fromarray(np.zeros((*SHAPE, 3), np.uint8)).save(tmp_path / 'a.png')
    (tmp_path / 'a.xml').write_text(voc_xml([dict(name='cat', box=box)], SHAPE))
    found, account = read(tmp_path)
    assert found.images[0].objects[0].box == (9, 19, 40, 30)
    assert total(account.repairs) == 1


def test_an_xml_namespace_and_other_xml_files(tmp_path):
    """Elements in a namespace are read; XML files of other kinds are not VOC."""
    write(tmp_path, '.', '.', count=1)
    path = tmp_path / 'image_0.xml'
    path.write_text(path.read_text().replace('<annotation>', '<annotation xmlns="http://x/y">'))
    (tmp_path / 'pom.xml').write_text('<?xml version="1.0"?><project/>')
    found, account = read(tmp_path)
    assert len(found.images[0].objects) == 1
    assert account.unused == {'XML file of another format': ['pom.xml']}
    path.unlink()
    scan = scan_folder(str(tmp_path))
    assert find_voc(scan, ImageIndex(scan.images)) is None


def test_two_annotations_of_one_image(tmp_path):
    """Two XML files for one image are an error that names both."""
    write(tmp_path, count=1)
    shutil.copytree(tmp_path / 'Annotations', tmp_path / 'Annotations/copy')
    with pytest.raises(UserError, match='image_0.xml.*is for the same image'):
        read(tmp_path)


@pytest.mark.parametrize('encoding', ['gb2312', 'latin-1', 'utf-16', 'shift_jis'])
def test_declared_encodings(tmp_path, encoding):
    """An XML file in the encoding that it declares is read; without a declaration it is UTF-8."""
    name = {'gb2312': '猫', 'shift_jis': '猫'}.get(encoding, 'chaton é')
    write(tmp_path, '.', '.', count=1)
    path = tmp_path / 'image_0.xml'
    text = path.read_text().replace('blue', name)
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))
    assert read(tmp_path)[0].classes == [name]
    path.write_bytes(text.encode(encoding))
    if encoding in ('latin-1', 'shift_jis'):
        with pytest.raises(UserError, match='image_0.xml: broken XML .*save it again in UTF-8'):
            read(tmp_path)


def test_an_xml_file_of_another_name_is_for_its_filename(tmp_path):
    """Numbered XML files: <filename> decides, and it is counted; not among two of one name."""
    root = write(tmp_path)
    for at, xml in enumerate(sorted((root / 'Annotations').iterdir())):
        text = xml.read_text()
        image = xml.with_suffix('.png').name
        named = text.replace('<annotation>', f'<annotation><filename>{image}</filename>')
        xml.write_text(named)
        if at < 2:
            xml.rename(xml.with_name(f'{at}.xml'))
    found, account = read(root)
    assert [image.file[-11:] for image in found.images] == [f'image_{n}.png' for n in range(4)]
    assert all(image.annotated for image in found.images)
    assert sum(map(len, account.repairs.values())) == 2
    shutil.copy(root / 'JPEGImages/image_3.png', root / 'JPEGImages/image_3.jpg')
    found, account = read(root)
    assert len(found.images) == 3 and total(account.lost_images) == 1


def test_a_filename_that_all_files_share_names_no_second_image(tmp_path):
    """A <filename> that was copied from file to file does not move annotations."""
    root = write(tmp_path)
    for xml in (root / 'Annotations').iterdir():
        text = xml.read_text()
        xml.write_text(text.replace('<annotation>', '<annotation><filename>image_0.png</filename>'))
    (root / 'Annotations/image_3.xml').rename(root / 'Annotations/image_3 (copy).xml')
    found, account = read(root)
    assert [i.where[-11:] for i in found.images if i.annotated][0] == 'image_0.xml'
    assert total(account.lost_images) == 1


def test_a_filename_of_another_image_is_counted(tmp_path):
    """The XML file's own name decides, and where <filename> is another image it is said."""
    root = write(tmp_path)
    for at, name in enumerate(['image_1.png', r'C:\photos\image_1.jpg', 'old.png', 'image_3']):
        xml = root / f'Annotations/image_{at}.xml'
        text = xml.read_text()
        xml.write_text(text.replace('<annotation>', f'<annotation><filename>{name}</filename>'))
    found, account = read(root)
    assert [image.where[-11:-4] for image in found.images] == [f'image_{n}' for n in range(4)]
    assert account.repairs == {
        'paired by its own name; its <filename> is another image of the data': [
            'Annotations/image_0.xml'
        ]
    }


def test_an_xml_file_that_is_no_annotation_makes_no_negative(tmp_path):
    """A saved error page in the place of an annotation: the image is left out."""
    root = write(tmp_path)
    (root / 'Annotations/image_2.xml').write_text('<html><body>404</body></html>')
    found, account = read(root)
    assert len(found.images) == 3 and all(image.annotated for image in found.images)
    assert list(account.lost_images) == ['no <annotation> for this XML file']


def test_lists_with_comments_and_with_pairs_of_files(tmp_path):
    """PaddleDetection's `image.jpg image.xml` lines, and comments above ids."""
    root = write(tmp_path)
    pairs = [f'./JPEGImages/image_{n}.png ./Annotations/image_{n}.xml' for n in range(3)]
    (root / 'train.txt').write_text('\n'.join(pairs) + '\n')
    (root / 'val.txt').write_text('# one image\nimage_3\n')
    found, account = read(root)
    assert [image.part for image in found.images] == ['train'] * 3 + ['val']
    assert account.lines() == []


@pytest.mark.parametrize('word', ['Unspecified', 'None', '', 'false'])
def test_unknown_values_are_not_numbers(tmp_path, word):
    """Words for an unknown size or flag are unknown; other words are an error."""
    root = write(tmp_path, count=1)
    xml = root / 'Annotations/image_0.xml'
    text = xml.read_text().replace('</name>', f'</name><truncated>{word}</truncated>')
    size = f'<width>{"" if word == "false" else word}</width>'
    xml.write_text(text.replace(f'<width>{SHAPE[1]}</width>', size))
    (image,) = read(root)[0].images
    assert image.size_hw is None and not image.objects[0].truncated
    xml.write_text(text.replace(f'<truncated>{word}<', '<truncated>perhaps<'))
    with pytest.raises(UserError, match="truncated is 'perhaps', expected a number"):
        read(root)


def test_a_list_without_a_part_keeps_that_of_its_folder(tmp_path):
    """CVAT's default.txt in train/ and in val/: two parts."""
    for part, first in (('train', 0), ('val', 4)):
        write(tmp_path / part, first=first)
        ids = '\n'.join(f'image_{n}' for n in range(first, first + 4))
        (tmp_path / part / 'ImageSets/Main').mkdir(parents=True)
        (tmp_path / part / 'ImageSets/Main/default.txt').write_text(ids)
    found, _ = read(tmp_path)
    assert [image.part for image in found.images] == ['train'] * 4 + ['val'] * 4
