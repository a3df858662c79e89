"""ImageList: image labels from a CSV, a JSON or folders; no boxes."""

import json

import pytest

from tcnn_mm.datasets import ImageList
from tcnn_mm.errors import UserError
from tests.support.own_data import write_csv, write_folders, write_images


def labels(data):
    """{id: names of its labels}."""
    infos = [data.get_data_info(i) for i in range(len(data))]
    classes = data.metainfo['classes']
    return {info['img_id']: [classes[k] for k in info['gt_label']] for info in infos}


def test_csv_json_and_folders_say_the_same(tmp_path):
    by_csv = ImageList(str(write_csv(tmp_path / 'csv')), 'labels.csv')
    found = labels(by_csv)
    assert found['image_0.png'] == ['blue'] and len(found) == 8
    for form in (found, [dict(file=k, labels=v) for k, v in found.items()]):
        (tmp_path / 'csv' / 'labels.json').write_text(json.dumps(form))
        assert labels(ImageList(str(tmp_path / 'csv'), 'labels.json')) == found
    by_folder = labels(ImageList(str(write_folders(tmp_path / 'folders'))))
    assert by_folder == {f'{v[0]}/{k}': v for k, v in sorted(found.items(), key=lambda p: p[1])}


def test_an_item_has_the_keys_of_voc_objects_and_no_box(tmp_path):
    item = ImageList(str(write_csv(tmp_path)), 'labels.csv').get_data_info(1)
    assert item['gt_bboxes'].shape == (0, 4) and len(item['gt_bboxes_labels']) == 0
    assert (item['height'], item['width'], item['gt_label_difficult']) == (90, 120, [])


def test_many_labels_none_and_ids(tmp_path):
    """Several labels a row, a row without label, and a list of ids."""
    write_images(tmp_path, 3)
    (tmp_path / 'a.csv').write_text('image_0.png,x,y\nimage_1.png\nimage_2.png,y\n')
    (tmp_path / 'ids.txt').write_text('image_0.png\nimage_1.png\n')
    found = labels(ImageList(str(tmp_path), 'a.csv', ids=str(tmp_path / 'ids.txt')))
    assert found == {'image_0.png': ['x', 'y'], 'image_1.png': []}


@pytest.mark.parametrize(
    'name, text, said',
    [
        ('a.csv', 'image_0.png,x\nimage_0.png,y\n', 'line 2: duplicate file image_0.png'),
        ('a.csv', ',x\n', 'no column names an image'),
        ('a.csv', 'image_0.png,x\n,x\n', 'line 2: no file name'),
        ('a.csv', 'image_0.png,x,0.75\n', 'column 3 holds numbers'),
        ('a.json', '{"image_0.png": [0.75]}', 'labels of image_0.png are'),
        ('a.csv', 'gone.png,x\n', 'gone.png: no such image'),
        ('a.csv', '', 'no image in it'),
        ('a.json', '[{"file": "image_0.png"}]', 'a row without file or labels'),
        ('a.json', '{"image_0.png": 3}', 'labels of image_0.png are 3'),
        ('a.json', '{', 'not JSON'),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, text, said):
    write_images(tmp_path, 1)
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=said):
        ImageList(str(tmp_path), name)


def test_a_table_of_several_parts_is_refused(tmp_path):
    """One data set is one part: the column of parts says which table to write."""
    write_images(tmp_path, 2)
    text = 'file,label,split\nimage_0.png,x,train\nimage_1.png,x,test\n'
    (tmp_path / 'a.csv').write_text(text)
    with pytest.raises(UserError, match='images of the parts test, train; write one table'):
        ImageList(str(tmp_path), 'a.csv')


def test_boxes_give_the_labels_of_their_image(tmp_path):
    """A table of boxes serves as image labels."""
    write_images(tmp_path, 2)
    text = 'file,class,xmin,ymin,xmax,ymax\n' + 'image_0.png,x,1,2,30,40\nimage_0.png,y,1,2,9,9\n'
    (tmp_path / 'a.csv').write_text(text)
    assert labels(ImageList(str(tmp_path), 'a.csv')) == {'image_0.png': ['x', 'y']}


def test_labels_that_classes_lack_are_told(tmp_path):
    write_csv(tmp_path)
    with pytest.raises(UserError, match=r'red \(4\)'):
        ImageList(str(tmp_path), 'labels.csv', metainfo=dict(classes=('blue',)))


def test_ids_are_paths_from_the_data_root(tmp_path):
    """Parts in different folders of one root have different ids; a list's files lie in img_dir."""
    for part in ('train', 'val'):
        write_csv(tmp_path / part, 3)
    train, val = (ImageList(str(tmp_path), f'{p}/labels.csv', img_dir=p) for p in ('train', 'val'))
    assert set(labels(train)) == {f'train/image_{n}.png' for n in range(3)}
    assert not set(labels(train)) & set(labels(val))
    assert train.get_data_info(0)['img_path'] == str(tmp_path / 'train' / 'image_0.png')


ROW = '"file": "image_0.png", "labels": []'


@pytest.mark.parametrize(
    'name, text',
    [
        ('a.csv', 'image_0.png,x\n./image_0.png,y\n'),
        ('a.json', '{"image_0.png": "x", "image_0.png": "y"}'),
        ('a.json', f'[{", ".join(["{" + ROW + "}"] * 2)}]'),
    ],
)
def test_one_file_twice_is_named(tmp_path, name, text):
    """Also under two spellings of its path, and where JSON would keep the last of two keys."""
    write_images(tmp_path, 1)
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match='duplicate file .*image_0.png'):
        ImageList(str(tmp_path), name)
