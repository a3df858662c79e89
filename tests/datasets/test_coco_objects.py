"""COCOObjects: the same items as VOCObjects gives of the same pictures, through mmdet."""

import json

import numpy as np
import pytest

from tcnn_mm.datasets import COCOObjects, VOCObjects
from tcnn_mm.errors import UserError
from tests.support.own_data import CLASSES, write_coco, write_voc

pytest.importorskip('mmdet')
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
    """It is an ignored label of its picture, and a difficult box."""
    root = edited(tmp_path, lambda c: c['annotations'][0].update(iscrowd=1))
    item = of(root, metainfo=dict(classes=CLASSES)).get_data_info(0)
    assert item['gt_bboxes_difficult'].tolist() == [True]
    assert (item['gt_label'], item['gt_label_difficult']) == ([], [0])


def test_ids_restrict_and_pictures_without_objects_stay(tmp_path):
    root = edited(tmp_path, lambda c: c['annotations'].pop(2))
    (root / 'ids.txt').write_text('picture_2.png\npicture_5.png\n')
    data = of(root, ids=str(root / 'ids.txt'))
    assert [data.get_data_info(i)['img_id'] for i in range(2)] == ['picture_2.png', 'picture_5.png']
    assert data.get_data_info(0)['gt_label'] == [] and len(data) == 2


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda c: c.pop('categories'), 'no "categories"'),
        (lambda c: c['images'][0].update(file_name='gone.png'), 'gone.png: no such image'),
        (lambda c: c['images'][1].update(file_name='picture_0.png'), 'picture_0.png stands twice'),
        (lambda c: c['annotations'][3].pop('area'), 'annotation 4 has no "area"'),
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
