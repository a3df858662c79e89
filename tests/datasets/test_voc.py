"""VOCObjects: what it reads from a VOC folder, what it refuses, and what it says."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets import object_dataset as module
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.voc import VOC_CLASSES, VOCObjects
from tcnn_mm.errors import UserError
from tests.support.voc_folder import CORNERS, voc_xml, write_voc_folder

HEIGHT, WIDTH = 30, 40
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
CAT, DOG = VOC_CLASSES.index('cat'), VOC_CLASSES.index('dog')


def thing(name='cat', box=(2, 3, 20, 25), **flags):
    return dict(name=name, box=box, **flags)


def one(tmp_path, objects, image=IMAGE, with_size=True, **options):
    """The item of a folder with one image, `a`."""
    write_voc_folder(tmp_path, {'a': (image, objects)}, with_size=with_size)
    return VOCObjects(str(tmp_path), **options).get_data_info(0)


@pytest.fixture
def log(monkeypatch):
    """What the module prints, a list of texts."""
    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, *_: said.append(text))
    return said


def test_item_in_full(tmp_path):
    """Boxes are 0-based edges; labels in the devkit's order; an image's labels by difficulty."""
    objects = [
        thing('dog', (11, 5, 30, 30), difficult=1, truncated=1),
        thing('cat', (1, 1, 40, 30), difficult=0, truncated=0),
        thing('cat', (2.5, 3, 4.25, 5), difficult=1, truncated=0),
    ]
    item = one(tmp_path, objects)
    assert item['img_path'] == str(tmp_path / 'JPEGImages' / 'a.png')
    assert (item['img_id'], item['sample_idx']) == ('a', 0)
    assert (item['height'], item['width']) == (HEIGHT, WIDTH)
    boxes = [[10, 4, 30, 30], [0, 0, 40, 30], [1.5, 2, 4.25, 5]]
    np.testing.assert_array_equal(item['gt_bboxes'], np.float32(boxes))
    assert item['gt_bboxes'].dtype == np.float32
    assert item['gt_bboxes_labels'].dtype == np.int64
    assert item['gt_bboxes_labels'].tolist() == [DOG, CAT, CAT]
    assert item['gt_bboxes_difficult'].tolist() == [True, False, True]
    assert item['gt_bboxes_truncated'].tolist() == [True, False, False]
    assert item['gt_label'] == [CAT]
    assert item['gt_label_difficult'] == [CAT, DOG]


def test_missing_flags_and_size(tmp_path):
    """Without <difficult> and <truncated> both are false; without <size> the header is asked."""
    item = one(tmp_path, [thing()], with_size=False)
    assert item['gt_bboxes_difficult'].tolist() == item['gt_bboxes_truncated'].tolist() == [False]
    assert (item['height'], item['width']) == (HEIGHT, WIDTH)
    parsed = parse_voc_xml(tmp_path / 'Annotations' / 'a.xml')
    assert parsed['width'] is None and parsed['height'] is None
    item = VOCObjects(str(tmp_path), with_images=False).get_data_info(0)
    assert item['height'] is None and item['img_path'] is None
    assert item['gt_bboxes'].tolist() == [[1, 2, 20, 25]]


def test_size_of_zero_is_not_known(tmp_path):
    """<width>0</width>, as some tools write, means the image's header."""
    write_voc_folder(tmp_path, {'a': (IMAGE, [])})
    (tmp_path / 'Annotations' / 'a.xml').write_text(voc_xml([thing()], (0, 0)))
    item = VOCObjects(str(tmp_path)).get_data_info(0)
    assert (item['height'], item['width']) == (HEIGHT, WIDTH)


def test_any_order_of_elements(tmp_path):
    """xmax before xmin, and <bndbox> before <name>, read like the usual order; parts are not."""
    path = tmp_path / 'a.xml'
    path.write_text(voc_xml([thing()], corners=CORNERS[::-1]))
    assert parse_voc_xml(path)['objects'][0]['box'] == (2, 3, 20, 25)
    corners = '<xmax>20</xmax><ymax>25.5</ymax><ymin>3</ymin><xmin>2</xmin>'
    part = '<part><name>head</name><bndbox><xmin>7</xmin></bndbox></part>'
    path.write_text(
        f'<annotation><object>{part}<difficult>1</difficult><bndbox>{corners}</bndbox>'
        '<name> cat </name></object><size><height>30</height><width>40</width></size></annotation>'
    )
    cat = dict(name='cat', box=(2, 3, 20, 25.5), difficult=True, truncated=False)
    assert parse_voc_xml(path) == dict(
        width=40, height=30, objects=[cat], empty=0, sorted=0, filename=''
    )


def test_image_without_objects(tmp_path):
    """An empty annotation gives arrays of the right shapes and empty labels."""
    item = one(tmp_path, [])
    assert item['gt_bboxes'].shape == (0, 4) and item['gt_bboxes'].dtype == np.float32
    assert item['gt_bboxes_labels'].shape == item['gt_bboxes_difficult'].shape == (0,)
    assert item['gt_label'] == item['gt_label_difficult'] == []


def test_small_image(tmp_path):
    """An image of 30 pixels with an object that fills it is as good as any."""
    item = one(tmp_path, [thing(box=(1, 1, 30, 30))], image=IMAGE[:, :30])
    assert item['gt_bboxes'].tolist() == [[0, 0, 30, 30]]


def test_boxes_partly_outside_are_clipped_and_counted(tmp_path, log):
    """Such boxes end at the image's edge (a 0-based xmin of 0 too); one line says how many."""
    objects = [thing(box=(0, 5, 9, 9)), thing(box=(35, 25, 50, 60)), thing()]
    write_voc_folder(tmp_path, {'a': (IMAGE, objects), 'b': (IMAGE, objects)})
    item = VOCObjects(str(tmp_path)).get_data_info(0)
    assert item['gt_bboxes'].tolist() == [[0, 4, 9, 9], [34, 24, 40, 30], [1, 2, 20, 25]]
    assert sum('clipped 4 boxes' in text for text in log) == 1


def test_classes_of_your_own(tmp_path):
    """metainfo's classes replace VOC's, and their order is the labels'; a file of names is read."""
    item = one(tmp_path, [thing('WBC'), thing('RBC')], metainfo=dict(classes=['RBC', 'WBC']))
    assert item['gt_bboxes_labels'].tolist() == [1, 0] and item['gt_label'] == [0, 1]
    names = tmp_path / 'names.txt'
    names.write_text('WBC\nRBC\n')
    data = VOCObjects(str(tmp_path), metainfo=dict(classes=str(names)))
    assert data.get_data_info(0)['gt_bboxes_labels'].tolist() == [0, 1]


def test_histogram(tmp_path, log):
    """The log shows images, objects and difficult objects of every class, in one aligned table."""
    images = {
        'a': (IMAGE, [thing(), thing(), thing('dog', difficult=1)]),
        'b': (IMAGE, [thing(difficult=0), thing(difficult=1)]),
    }
    write_voc_folder(tmp_path, images)
    VOCObjects(str(tmp_path), metainfo=dict(classes=('cat', 'dog')))
    assert log == [
        f'VOCObjects: 2 images of {tmp_path}/ImageSets/Main/trainval.txt\n'
        'class  images  objects  difficult\n'
        'cat         2        3          1\n'
        'dog         0        0          1'
    ]


def test_unknown_classes_are_all_told(tmp_path, log):
    """Unknown names of the whole split are listed with counts; allow_unknown leaves them out."""
    images = {
        'a': (IMAGE, [thing('Cat'), thing('cat')]),
        'b': (IMAGE, [thing('Cat'), thing('zebra')]),
    }
    write_voc_folder(tmp_path, images)
    with pytest.raises(
        UserError, match=r'Cat \(2\), zebra \(1\); .*classes=.*allow_unknown'
    ) as error:
        VOCObjects(str(tmp_path))
    assert '\n' not in str(error.value)
    data = VOCObjects(str(tmp_path), allow_unknown=True)
    assert [len(data.get_data_info(i)['gt_bboxes']) for i in range(2)] == [1, 0]
    assert any('left out' in text and 'Cat (2), zebra (1)' in text for text in log)


@pytest.mark.parametrize('classes', ['cat', ('cat', 'cat')])
def test_classes_that_are_no_names(classes, tmp_path):
    """A forgotten comma (('cat')) or a duplicate name is refused."""
    with pytest.raises(UserError, match='neither different names nor a file'):
        one(tmp_path, [thing()], metainfo=dict(classes=classes))


@pytest.mark.parametrize('text', ['a\n\n  \nb\n\n', 'a\r\nb\r\n', ' a \nb\t', '\ufeffa\nb'])
def test_lists_of_ids(text, tmp_path):
    """Blank lines, CRLF, blanks at the ends, a byte-order mark and no last newline are fine."""
    images = dict.fromkeys('ab', (IMAGE, [thing()]))
    write_voc_folder(tmp_path, images, {'trainval': text})
    data = VOCObjects(str(tmp_path))
    assert [data.get_data_info(i)['img_id'] for i in range(len(data))] == ['a', 'b']


def test_which_images(tmp_path):
    """split, ann_file (below data_root or absolute), ids, indices choose, in the list's order."""
    images = dict.fromkeys('abcd', (IMAGE, [thing()]))
    write_voc_folder(tmp_path, images, {'train': 'c\na\n', 'trainval': 'd\nc\nb\na\n'})
    (tmp_path / 'mine.txt').write_text('b\nd\n')

    def chosen(**options):
        data = VOCObjects(str(tmp_path), **options)
        return ''.join(data.get_data_info(i)['img_id'] for i in range(len(data)))

    assert chosen() == 'dcba'
    assert chosen(split='train') == 'ca'
    assert chosen(ann_file='mine.txt') == chosen(ann_file=str(tmp_path / 'mine.txt')) == 'bd'
    assert chosen(ids=str(tmp_path / 'mine.txt')) == 'db'
    assert chosen(indices=2) == 'dc'
    with pytest.raises(UserError, match=r'mine.txt: id b is not in .*train.txt \(2 such ids\)'):
        chosen(split='train', ids=str(tmp_path / 'mine.txt'))


@pytest.mark.parametrize('extension', ['.jpg', '.JPEG', '.bmp', '.tif'])
def test_extensions(extension, tmp_path):
    """The image's extension is found, in either case."""
    write_voc_folder(tmp_path, {'a.b': (IMAGE, [])}, extension=extension)
    item = VOCObjects(str(tmp_path)).get_data_info(0)
    assert item['img_path'] == str(tmp_path / 'JPEGImages' / f'a.b{extension}')


def test_folders_of_your_own(tmp_path):
    """img_dir and ann_dir rename the two folders."""
    write_voc_folder(tmp_path, {'a': (IMAGE, [thing()])})
    (tmp_path / 'JPEGImages').rename(tmp_path / 'photos')
    (tmp_path / 'Annotations').rename(tmp_path / 'boxes')
    item = VOCObjects(str(tmp_path), img_dir='photos', ann_dir='boxes').get_data_info(0)
    assert 'photos' in item['img_path'] and len(item['gt_bboxes']) == 1


def test_split_without_annotations(tmp_path):
    """annotations=False (VOC2012 test): images and sizes, no boxes, no folder needed."""
    write_voc_folder(tmp_path, {'a': (IMAGE, None)})
    (tmp_path / 'Annotations').rmdir()
    item = VOCObjects(str(tmp_path), annotations=False).get_data_info(0)
    assert (item['height'], item['width'], item['gt_label']) == (HEIGHT, WIDTH, [])
    assert item['gt_bboxes'].shape == (0, 4)
    assert VOCObjects(str(tmp_path), annotations=False).metainfo['annotated'] is False


def test_cat_ids(tmp_path):
    """get_cat_ids gives an image's classes, for the toolbox's ClassBalancedDataset."""
    write_voc_folder(tmp_path, {'a': (IMAGE, [thing('dog'), thing(difficult=1)])})
    assert VOCObjects(str(tmp_path)).get_cat_ids(0) == [DOG]


def xml(text):
    return lambda root: (root / 'Annotations' / 'a.xml').write_text(text)


def boxed(*box):
    return xml(voc_xml([thing(box=box)], (HEIGHT, WIDTH)))


def listed(text):
    return lambda root: (root / 'ImageSets' / 'Main' / 'trainval.txt').write_bytes(text)


def second_image(root):
    Image.fromarray(IMAGE).save(root / 'JPEGImages' / 'a.jpg')


FAULTS = {
    'no xml': (lambda r: (r / 'Annotations' / 'a.xml').unlink(), 'a.xml: no annotation'),
    'cut xml': (xml('<annotation><object>'), 'a.xml: broken XML .*line 1'),
    'empty xml': (xml(''), 'a.xml: broken XML'),
    'encoding': (
        xml('<?xml version="1.0" encoding="of-my-own"?><annotation/>'),
        'a.xml: broken XML',
    ),
    'other root': (xml('<annotations/>'), "a.xml: not in VOC's format: <annotations>"),
    'no name': (xml(voc_xml([thing(' ')])), 'a.xml: object 1 has no <name>'),
    'no box': (
        xml('<annotation><object><name>cat</name></object></annotation>'),
        r'a.xml: object 1 \(cat\) has no <bndbox>',
    ),
    'x2 = x1': (boxed(9, 3, 9, 8), r'a.xml: object 1 \(cat\): empty box \(9.0, 3.0, 9.0, 8.0\)'),
    'y2 = y1': (boxed(2, 9, 5, 9), 'a.xml: object 1 .* empty box'),
    'no number': (boxed('wide', 3, 9, 8), "a.xml: object 1 .*: xmin is 'wide'"),
    'nan': (boxed('nan', 3, 9, 8), "a.xml: object 1 .*: xmin is 'nan'"),
    'no corner': (
        xml(voc_xml([thing()], corners=CORNERS[:3])),
        'a.xml: object 1 .*: ymax is None, expected a number',
    ),
    'right of it': (
        boxed(41, 3, 50, 8),
        r'a.xml: box \(41, 3, 50, 8\) lies wholly outside .*40×30',
    ),
    'above it': (boxed(3, -9, 9, 0), 'a.xml: box .* wholly outside'),
    'no image': (lambda r: (r / 'JPEGImages' / 'a.png').unlink(), r'a\.\*: no image'),
    'two images': (second_image, r'a\.\*: 2 images'),
    'duplicate id': (listed(b'a\nb\na\n'), r'trainval.txt: duplicate id a \(1 such ids\)'),
    'class file': (listed(b'a -1\nb  1\n'), 'trainval.txt: "a -1" is a line of a class file'),
    'empty list': (listed(b'\n\n'), 'trainval.txt: no id'),
    'utf-16 list': (listed('a\n'.encode('utf-16')), 'trainval.txt: this is UTF-16, expected UTF-8'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_fault_is_one_line_with_its_file(fault, tmp_path):
    """Each fault of a folder stops the start with one line that names the file."""
    break_it, message = FAULTS[fault]
    write_voc_folder(tmp_path, {'a': (IMAGE, [thing()])})
    break_it(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        VOCObjects(str(tmp_path))
    assert '\n' not in str(error.value) and str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    'missing', ['', 'JPEGImages', 'Annotations', 'ImageSets', 'ImageSets/Main/trainval.txt']
)
def test_what_is_not_there_takes_three_lines(missing, tmp_path, monkeypatch):
    """What is missing, where it was looked for and by which variable, the command that helps."""
    root = write_voc_folder(tmp_path / 'VOC2007', {'a': (IMAGE, [thing()])})
    (root / missing).rename(tmp_path / 'elsewhere')
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        VOCObjects('VOC2007')
    what, where, command = str(error.value).splitlines()
    file = root / (missing if missing != 'ImageSets' else 'ImageSets/Main/trainval.txt')
    assert file.name in what
    assert str(file) in where and f'TCNN_DATA={tmp_path}' in where
    assert command.endswith('tcnn check VOC2007')


VOC2007 = Path(os.environ.get('TCNN_DATA') or 'data') / 'VOCdevkit' / 'VOC2007'


@pytest.mark.real
@pytest.mark.skipif(not VOC2007.is_dir(), reason=f'no {VOC2007}: set TCNN_DATA')
@pytest.mark.parametrize('split', ['train', 'val', 'trainval', 'test'])
def test_labels_are_the_class_files(split):
    """Labels made from the boxes equal the official class files, all 20 classes, each image."""
    main = VOC2007 / 'ImageSets' / 'Main'
    if not (main / f'cat_{split}.txt').is_file():
        pytest.skip(f'no class files of {split} in {main}')
    data = VOCObjects(str(VOC2007), split, with_images=False)
    items = [data.get_data_info(i) for i in range(len(data))]
    derived, official = {}, {}
    for label, name in enumerate(VOC_CLASSES):
        for item in items:
            hard = label in item['gt_label_difficult']
            value = 1 if label in item['gt_label'] else 0 if hard else -1
            derived[name, item['img_id']] = value
        text = (main / f'{name}_{split}.txt').read_text()
        official.update({(name, i): int(v) for i, v in re.findall(r'(\S+)\s+(-?[01])\b', text)})
    assert len(items) and derived == official


def test_empty_boxes_can_be_left_out(tmp_path, caplog):
    """allow_empty: hand-made sets with x2 = x1 load, the good boxes stay."""
    boxes = [dict(name='dog', box=(5, 5, 5, 9)), dict(name='dog', box=(1, 1, 9, 9))]
    root = write_voc_folder(tmp_path, {'a': (np.zeros((20, 20, 3), np.uint8), boxes)})
    with pytest.raises(UserError, match=r'a\.xml: object 1 \(dog\): empty box.*allow_empty'):
        VOCObjects(str(root))
    item = VOCObjects(str(root), allow_empty=True).get_data_info(0)
    assert item['gt_bboxes'].tolist() == [[0, 0, 9, 9]] and item['gt_label'] == [11]


VOC2012 = VOC2007.parent / 'VOC2012'


@pytest.mark.real
@pytest.mark.skipif(not VOC2012.is_dir(), reason=f'no {VOC2012}: set TCNN_DATA')
@pytest.mark.parametrize('split', ['train', 'val', 'seg2007'])
def test_genuine_annotations_of_2012(split):
    """Boxes, names and flags equal what plain text search finds, parts within objects left out."""
    if not (VOC2012 / 'ImageSets' / 'Main' / f'{split}.txt').is_file():
        pytest.skip(f'no {split}.txt')
    data = VOCObjects(str(VOC2012), split)
    for i in range(len(data)):
        item = data.get_data_info(i)
        text = (VOC2012 / 'Annotations' / f'{item["img_id"]}.xml').read_text()
        objects = re.findall(r'<object>(.*?)</object>', text, re.S)
        objects = [re.sub(r'<part>.*?</part>', '', one, flags=re.S) for one in objects]

        def values(tag, objects=objects):
            return [re.search(rf'<{tag}>(.*?)</{tag}>', one).group(1) for one in objects]

        assert [VOC_CLASSES[k] for k in item['gt_bboxes_labels']] == values('name')
        for flag in ('difficult', 'truncated'):
            assert item[f'gt_bboxes_{flag}'].tolist() == [v == '1' for v in values(flag)]
        corners = np.array([values(tag) for tag in CORNERS], np.float64).T.reshape(-1, 4)
        assert np.array_equal(item['gt_bboxes'], corners - (1, 1, 0, 0))
        with Image.open(item['img_path']) as image:
            assert image.size == (item['width'], item['height'])
