"""Classes by a list: labels, order, roots, the held-out part, and errors that a user can fix."""

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets import ClassFolders
from tcnn_mm.datasets.class_folders import held_out
from tcnn_mm.errors import UserError


@pytest.fixture
def trees(tmp_path):
    """Two roots; n02 is in both."""
    for root, names in (('first', ('n01', 'n02')), ('second', ('n02', 'n03', 'n09'))):
        for name in names:
            (tmp_path / root / name).mkdir(parents=True)
            for i in range(12):
                image = Image.fromarray(np.zeros((4, 4, 3), np.uint8))
                image.save(tmp_path / root / name / f'{root}_{i}.JPEG')
            (tmp_path / root / name / 'notes.txt').write_text('no image')
    (tmp_path / 'list.txt').write_text('n03 a comment\nn01\n\nn02\n')
    return tmp_path


def build(folder, **options):
    roots = [str(folder / 'first'), str(folder / 'second')]
    return ClassFolders(str(folder / 'list.txt'), options.pop('roots', roots), **options)


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_the_lists_line_is_the_label(trees):
    """Labels follow the list, not the folders' names; a class comes from the first root with it."""
    dataset = build(trees, split='trainval')
    assert dataset.metainfo['classes'] == ('n03', 'n01', 'n02') and len(dataset) == 36
    for item in items(dataset):
        name = item['img_id'].split('/')[0]
        assert dataset.metainfo['classes'][item['gt_label']] == name
        assert ('first' in item['img_path']) == (name != 'n03')


def test_train_and_val_share_out_each_class(trees):
    """val_per_class images of each class are held out, a fifth at most; no image is in both."""
    parts = {split: items(build(trees, split=split, val_per_class=1)) for split in ('train', 'val')}
    ids = {split: {item['img_id'] for item in part} for split, part in parts.items()}
    assert len(ids['val']) == 3 and len(ids['train']) == 33 and not ids['val'] & ids['train']
    assert sorted(item['gt_label'] for item in parts['val']) == [0, 1, 2]
    assert len(build(trees, split='val')) == 3 * 2  # 12 // 5, not 50


def test_what_is_held_out_depends_on_names_alone():
    """The same in any order, on any machine; pinned."""
    files = [f'{i}.JPEG' for i in range(30)]
    drawn = held_out('n01', files, 3)
    assert drawn == held_out('n01', files[::-1], 3) == {'12.JPEG', '15.JPEG', '17.JPEG'}
    assert held_out('n01', files, 2) < drawn and held_out('n02', files, 3) != drawn
    assert held_out('n01', files[:4], 3) == set()


def test_what_a_user_can_fix_is_named(trees):
    """No list, a duplicate class, one without folder or images, another number of classes."""
    with pytest.raises(UserError, match='3 classes, the config expects 1000; set num_classes=3'):
        build(trees, num_classes=1000)
    with pytest.raises(UserError, match='no folder for 1 of the 3 classes .*list.txt: n03\nlooked'):
        build(trees, roots=str(trees / 'first'))
    for path in (trees / 'first' / 'n01').glob('*.JPEG'):
        path.unlink()
    with pytest.raises(UserError, match=r'n01: no images \(.jpg'):
        build(trees)
    (trees / 'list.txt').write_text('n01\nn01\n')
    with pytest.raises(UserError, match='list.txt: duplicate class n01'):
        build(trees)
    (trees / 'list.txt').unlink()
    with pytest.raises(UserError, match='make_source_classes.py'):
        build(trees)
    with pytest.raises(ValueError, match='trainval'):
        build(trees, split='test')
