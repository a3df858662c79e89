"""COCOObjects: the items of VOCObjects from a COCO file; the same as mmdet reads of it."""

import json
import math

import numpy as np
import pytest

from tcnn_mm.datasets import COCOObjects, VOCObjects
from tcnn_mm.errors import UserError
from tests.support.own_data import CLASSES, coco, write_coco, write_images, write_voc

PATH = 'annotations/instances_all.json'


def of(root, **options):
    return COCOObjects(PATH, data_root=str(root), img_dir='images', **options)


def edited(root, change):
    """The folder with its annotation file changed in place."""
    path = write_coco(root) / PATH
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return root


def test_items_equal_those_of_the_voc_folder(tmp_path):
    """Same boxes, labels and sizes, whatever the order of categories in the file."""
    ours = of(write_coco(tmp_path / 'coco'), metainfo=dict(classes=CLASSES))
    voc = VOCObjects(str(write_voc(tmp_path / 'voc')), metainfo=dict(classes=CLASSES))
    assert len(ours) == len(voc) == 8
    for mine, theirs in zip(map(ours.get_data_info, range(8)), voc, strict=True):
        assert mine.keys() == theirs.keys()
        assert mine['img_id'] == theirs['img_id'] + '.png'
        for key in set(mine) - {'img_id', 'img_path'}:
            np.testing.assert_array_equal(mine[key], theirs[key], err_msg=key)


def test_classes_default_to_the_file_by_id(tmp_path):
    assert of(write_coco(tmp_path)).metainfo['classes'] == ('red', 'blue')


def test_a_crowd_is_difficult(tmp_path):
    """It is an ignored label of its image, and a difficult box."""
    root = edited(tmp_path, lambda c: c['annotations'][0].update(iscrowd=1))
    item = of(root, metainfo=dict(classes=CLASSES)).get_data_info(0)
    assert item['gt_bboxes_difficult'].tolist() == [True]
    assert (item['gt_label'], item['gt_label_difficult']) == ([], [0])


def test_ids_restrict_and_images_without_objects_stay(tmp_path):
    root = edited(tmp_path, lambda c: c['annotations'].pop(2))
    (root / 'ids.txt').write_text('image_2.png\nimage_5.png\n')
    data = of(root, ids=str(root / 'ids.txt'))
    assert [data.get_data_info(i)['img_id'] for i in range(2)] == ['image_2.png', 'image_5.png']
    assert data.get_data_info(0)['gt_label'] == [] and len(data) == 2


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda c: c.pop('categories'), 'no "categories"'),
        (lambda c: c['images'][0].update(file_name='gone.png'), 'gone.png: no such image'),
        (lambda c: c['images'][1].update(file_name='./image_0.png'), 'duplicate file_name image_0'),
        (lambda c: c['images'][1].update(id=0), 'image 2: duplicate id 0'),
        (lambda c: c['images'][1].pop('id'), 'image 2 has no "id"'),
        (lambda c: c['annotations'][3].pop('bbox'), 'annotation 4 has no "bbox"'),
        (lambda c: c['annotations'][3].update(bbox=[1, 2]), r'annotation 4: bbox is \[1, 2\]'),
        (lambda c: c['annotations'][3].update(bbox=[1, 2, 3, math.nan]), 'annotation 4: bbox is'),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        of(edited(tmp_path, change))


def test_unknown_classes_are_all_told(tmp_path):
    """A category that `classes` lacks is an error, or left out when that is allowed."""
    write_coco(tmp_path)
    with pytest.raises(UserError, match=r'red \(4\)'):
        of(tmp_path, metainfo=dict(classes=('blue',)))
    data = of(tmp_path, metainfo=dict(classes=('blue',)), allow_unknown=True)
    assert [len(data.get_data_info(i)['gt_bboxes']) for i in range(4)] == [1, 0, 1, 0]


def odd_content():
    """A COCO dict with what real files have: odd boxes, crowds, gaps in ids, several per image."""
    content = coco(range(8))
    number = iter(range(100, 200))
    boxes = [
        [-10, -5, 40, 30], [100, 70, 60, 60], [119.5, 3, 5, 5], [130, 3, 5, 5], [5, 5, 0.5, 9],
        [5, 5, 0, 9], [3.25, 4.5, 10.125, 12.75], [0, 0, 120, 90], [-30, 0, 20, 20],
    ]  # fmt: skip
    for at, box in enumerate(boxes):
        for kind in (3, 7):
            content['annotations'].append(
                dict(
                    id=next(number), image_id=at % 5, category_id=kind, bbox=box,
                    area=box[2] * box[3], iscrowd=at % 2,
                )
            )  # fmt: skip
    content['annotations'][-1].update(area=0)
    content['annotations'][-2].update(ignore=1)
    content['images'].append(dict(content['images'][0], id=50, file_name='sub/x.png'))
    content['categories'].append(dict(id=5, name='green'))
    return content


@pytest.mark.parametrize('classes', [('blue', 'red'), ('red', 'green', 'blue'), ('green', 'blue')])
def test_items_are_those_of_mmdets_reader(tmp_path, classes):
    """Images, boxes, labels and crowds equal CocoDataset's, in its order, for any classes."""
    CocoDataset = pytest.importorskip('mmdet.datasets').CocoDataset
    (tmp_path / 'a.json').write_text(json.dumps(odd_content()))
    options = dict(metainfo=dict(classes=classes))
    theirs = CocoDataset(
        ann_file=str(tmp_path / 'a.json'), data_prefix=dict(img=''), lazy_init=True, **options
    )
    infos = theirs.load_data_list()
    names = {c['id']: c['name'] for c in odd_content()['categories']}
    ours = COCOObjects(str(tmp_path / 'a.json'), with_images=False, allow_unknown=True, **options)
    assert len(ours) == len(infos) == 9
    for at, info in enumerate(infos):
        item = ours.get_data_info(at)
        assert (item['img_id'], item['height'], item['width']) == (
            info['img_path'], info['height'], info['width'],
        )  # fmt: skip
        boxes = np.array([o['bbox'] for o in info['instances']], np.float32).reshape(-1, 4)
        np.testing.assert_array_equal(
            item['gt_bboxes'], boxes.clip(0, [info['width'], info['height']] * 2)
        )
        found = [classes[label] for label in item['gt_bboxes_labels']]
        assert found == [names[theirs.cat_ids[o['bbox_label']]] for o in info['instances']]
        flags = [bool(o['ignore_flag']) for o in info['instances']]
        assert item['gt_bboxes_difficult'].tolist() == flags


def test_what_is_left_out_is_counted(tmp_path, monkeypatch):
    """Boxes without area in the image, clipped boxes, annotations of images that are not listed."""
    said = []
    content = odd_content()
    content['annotations'].append(dict(content['annotations'][0], id=300, image_id=99))
    for name in ('object_dataset', 'coco_objects'):
        place = f'tcnn_mm.datasets.{name}.print_log'
        monkeypatch.setattr(place, lambda text, *_: said.append(text))
    (tmp_path / 'a.json').write_text(json.dumps(content))
    COCOObjects(str(tmp_path / 'a.json'), with_images=False)
    assert any('object left out: the file lists no image of its image_id' in text for text in said)
    assert any('left out 8 empty boxes' in text for text in said)
    assert any('clipped 6 boxes to the image' in text for text in said)


def test_what_the_parser_repairs_is_used_and_logged(tmp_path, monkeypatch):
    """Boxes with area 0 and numbers as text are objects; "ignore" is difficult."""
    said = []
    monkeypatch.setattr(
        'tcnn_mm.datasets.coco_objects.print_log', lambda text, *_: said.append(text)
    )

    def change(content):
        for annotation in content['annotations']:
            annotation.update(area=0, image_id=str(annotation['image_id']))
        content['annotations'][0]['ignore'] = 1

    found, whole = of(edited(tmp_path / 'a', change)), of(write_coco(tmp_path / 'b'))
    for at in range(8):
        mine, other = found.get_data_info(at), whole.get_data_info(at)
        np.testing.assert_array_equal(mine['gt_bboxes'], other['gt_bboxes'])
        assert mine['gt_bboxes_difficult'].tolist() == [at == 0]
    assert any('8  repaired: area is not positive' in text for text in said)
    assert any('8  repaired: image_id is text' in text for text in said)


def test_boxes_in_fractions_are_refused(tmp_path):
    """Boxes that are all less than a pixel are not left out as empty."""

    def change(content):
        for annotation in content['annotations']:
            annotation['bbox'] = [value / 200 for value in annotation['bbox']]

    with pytest.raises(UserError, match='all boxes are less than a pixel'):
        of(edited(tmp_path, change))


def test_an_area_and_a_size_are_optional(tmp_path):
    """Without "area" it is that of the box; without height and width the image's header says."""

    def change(content):
        for annotation in content['annotations']:
            annotation.pop('area')
        for image in content['images']:
            image.pop('height'), image.pop('width')

    found = of(edited(tmp_path / 'a', change))
    whole = of(write_coco(tmp_path / 'b'))
    for at in range(8):
        mine, other = found.get_data_info(at), whole.get_data_info(at)
        np.testing.assert_array_equal(mine['gt_bboxes'], other['gt_bboxes'])
        assert (mine['height'], mine['width']) == (90, 120)


def test_ids_of_parts_in_different_folders_differ(tmp_path):
    """Equal file names below images/train and images/val are two ids with long_ids."""
    for part in ('train', 'val'):
        write_images(tmp_path / 'images' / part, 2)
    (tmp_path / 'a.json').write_text(json.dumps(coco([0, 1])))
    ids = set()
    for part in ('train', 'val'):
        data = COCOObjects(
            'a.json', data_root=str(tmp_path), img_dir=f'images/{part}', long_ids=True
        )
        ids |= {data.get_data_info(at)['img_id'] for at in range(2)}
        assert data.get_data_info(0)['img_path'].endswith(f'images/{part}/image_0.png')
    assert ids == {f'images/{p}/image_{n}.png' for p in ('train', 'val') for n in (0, 1)}
