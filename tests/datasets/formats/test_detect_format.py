"""Formats of folders and files, and their parts, are detected."""

import json

import pytest

from tcnn_mm.datasets.formats.detect_format import detect_format
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS
from tests.support.own_data import (
    coco,
    write_coco,
    write_csv,
    write_folders,
    write_images,
    write_voc,
)

IDS = [f'image_{i}' for i in range(8)]


def test_voc_with_and_without_lists(tmp_path):
    lists = dict(train=IDS[:4], val=IDS[4:6], trainval=IDS[:6], test=IDS[6:])
    found = detect_format(str(write_voc(tmp_path / 'a', lists)))
    assert (found.kind, found.weak, list(found.parts)) == ('voc', False, ['train', 'val', 'test'])
    write_voc(tmp_path / 'b' / 'inner', {})
    assert detect_format(str(tmp_path / 'b')).parts['trainval']['data_root'].endswith('inner')
    (tmp_path / 'b/inner/ImageSets/Main/trainval.txt').unlink()
    assert list(detect_format(str(tmp_path / 'b')).parts) == ['all']


def test_coco_as_a_folder_and_as_a_file(tmp_path):
    root = write_coco(tmp_path / 'one')
    for path in (root, root / 'annotations/instances_all.json'):
        found = detect_format(str(path))
        assert (found.kind, list(found.parts)) == ('coco', ['all'])
        assert found.parts['all']['data_root'] == str(root / 'images')
    found = detect_format(str(write_coco(tmp_path / 'two', train=5)))
    assert list(found.parts) == ['train', 'val']


def ids_of(part):
    data = DATASETS.build(dict(part, with_images=True))
    return {data.get_data_info(at)['img_id'] for at in range(len(data))}


@pytest.mark.parametrize('kind', ['coco', 'folders'])
def test_ids_of_parts_in_different_folders_differ(tmp_path, kind):
    """train/1.jpg and val/1.jpg are two images: no id is in two parts."""
    for role in ('train', 'val'):
        if kind == 'folders':
            write_folders(tmp_path / role, 4)
        else:
            write_images(tmp_path / 'images' / role, 4)
            (tmp_path / 'annotations').mkdir(exist_ok=True)
            path = tmp_path / 'annotations' / f'{role}.json'
            path.write_text(json.dumps(coco(range(4))))
    train, val = (ids_of(part) for part in detect_format(str(tmp_path)).parts.values())
    assert len(train) == len(val) == 4 and not train & val


def test_image_labels(tmp_path):
    """A list is found beside the images; folders are classes, perhaps below train and test."""
    root = write_csv(tmp_path / 'csv')
    for path in (root, root / 'labels.csv'):
        assert detect_format(str(path)).weak
    (root / 'labels.csv').rename(tmp_path / 'old.csv')
    (root / 'labels.json').write_text(json.dumps({'image_0.png': ['a']}))
    assert detect_format(str(root)).parts['all']['ann_file'] == str(root / 'labels.json')
    assert list(detect_format(str(write_folders(tmp_path / 'folders'))).parts) == ['all']
    write_folders(tmp_path / 'parts' / 'train')
    write_folders(tmp_path / 'parts' / 'test', 4)
    assert set(detect_format(str(tmp_path / 'parts')).parts) == {'train', 'test'}


def test_what_is_not_known_lists_the_layouts(tmp_path):
    for path in (tmp_path, tmp_path / 'gone'):
        with pytest.raises(UserError, match='VOC format'):
            detect_format(str(path))
