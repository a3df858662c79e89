"""Folders with COCO files, in the layouts of the tools that write them."""

import copy
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.coco_folder import ELSEWHERE, NOT_LISTED, find_coco
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.errors import UserError


def content_of(names, first=1, box=(2, 3, 10, 8), **more):
    """A COCO dict with one object per image, of class 'cat' or 'dog' in turn."""
    images = [dict(id=first + n, file_name=name) for n, name in enumerate(names)]
    annotations = [
        dict(id=n + 1, image_id=image['id'], category_id=n % 2 + 1, bbox=list(box), iscrowd=0)
        for n, image in enumerate(images)
    ]
    categories = [dict(id=1, name='cat'), dict(id=2, name='dog')]
    return dict(images=images, annotations=annotations, categories=categories) | more


def write(root, file, content, images=None, encoding='utf-8'):
    """Write a JSON, and images (20×30 pixels) in a folder of the root."""
    path = Path(root) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding=encoding)
    if images is not None:
        for image in content['images']:
            place = Path(root) / images / Path(image['file_name'].replace('\\', '/')).name
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (30, 20)).save(place)


def reading(path):
    scan = scan_folder(str(path))
    return find_coco(scan, ImageIndex(scan.images))


def read(path):
    """{image: (part, classes of its objects)}, the classes and the account."""
    account = Account()
    found = reading(path).read(account)
    assert found.boxes
    images = {image.file: (image.part, [o.name for o in image.objects]) for image in found.images}
    assert len(images) == len(found.images)
    return images, found.classes, account


NAMES = ['0.jpg', '1.jpg', '2.jpg', '3.jpg']


@pytest.mark.parametrize(
    'file, images',
    [
        ('annotations.json', ''),
        ('annotations.json', 'images'),
        ('result.json', 'images'),
        ('annotations/instances_default.json', 'images'),
        ('annotations/instances_default.json', 'images/default'),
        ('Annotations/instances.json', 'JPEGImages'),
        ('labels.json', 'data'),
        ('export/export/annotations/x.json', 'export/export/images'),
        ('train/_annotations.coco.json', 'train'),
    ],
)
def test_one_file_at_any_place(tmp_path, file, images):
    """CVAT, Label Studio, FiftyOne, a folder in a folder: all images, no part."""
    write(tmp_path, file, content_of(NAMES), images)
    found, classes, account = read(tmp_path)
    place = f'{images}/'.lstrip('/')
    assert found == {f'{place}{n}.jpg': ('all', [('cat', 'dog')[n % 2]]) for n in range(4)}
    assert classes == ['cat', 'dog'] and not account.lines()
    assert len(read(tmp_path / file)[0]) == 4


def test_roboflow_has_the_same_names_in_its_parts(tmp_path):
    """train/1.jpg and valid/1.jpg are two images; a root category is no class."""
    for part in ('train', 'valid', 'test'):
        content = content_of(NAMES)
        for category in content['categories']:
            category['supercategory'] = 'pets'
        content['categories'].append(dict(id=0, name='pets', supercategory='none'))
        write(tmp_path, f'{part}/_annotations.coco.json', content, part)
    found, classes, account = read(tmp_path)
    assert len(found) == 12 and classes == ['cat', 'dog']
    assert found['valid/1.jpg'] == ('val', ['dog']) and found['test/0.jpg'] == ('test', ['cat'])
    assert len(account.notes) == 1 and len(account.lines()) == 1


def test_the_tree_of_coco(tmp_path):
    """annotations/ beside train2017/ and val2017/; captions and key points are not read."""
    train, val = content_of(NAMES), content_of(['7.jpg', '8.jpg'])
    write(tmp_path, 'annotations/instances_train2017.json', train, 'train2017')
    write(tmp_path, 'annotations/instances_val2017.json', val, 'val2017')
    captions = dict(images=train['images'], annotations=[dict(id=1, image_id=1, caption='x')])
    write(tmp_path, 'annotations/captions_train2017.json', captions)
    write(tmp_path, 'annotations/image_info_test2017.json', dict(images=[], categories=[]))
    write(tmp_path, 'annotations/stuff_train2017.json', content_of(NAMES, box=[]))
    write(tmp_path, 'annotations/person_keypoints_val2017.json', val)
    found, _, account = read(tmp_path)
    assert {name: part for name, (part, _) in found.items()} == {
        **{f'train2017/{n}.jpg': 'train' for n in range(4)},
        'val2017/7.jpg': 'val', 'val2017/8.jpg': 'val',
    }  # fmt: skip
    assert list(account.unused) == [
        'COCO file without boxes',
        'annotations/instances_val2017.json annotates the same images',
    ]


def test_names_are_told_apart_by_folders_of_the_part(tmp_path):
    """annotations/train.json and val.json, images/train/1.jpg and images/val/1.jpg."""
    for part in ('train', 'val'):
        write(tmp_path, f'annotations/{part}.json', content_of(NAMES), f'images/{part}')
    found, _, account = read(tmp_path)
    assert len(found) == 8 and not account.lines()
    assert found['images/val/1.jpg'][0] == 'val'


def test_an_image_is_not_taken_from_another_part(tmp_path):
    """Where the image of train is gone, that of the same name in val is not used for it."""
    for part in ('train', 'val'):
        write(tmp_path, f'{part}/a.json', content_of(NAMES), part)
    (tmp_path / 'train/1.jpg').unlink()
    found, _, account = read(tmp_path)
    assert len(found) == 7 and found['val/1.jpg'] == ('val', ['dog'])
    assert [total({'': entry}) for entry in account.lost_images.values()] == [1]
    assert list(account.lost_images) == [ELSEWHERE] and total(account.lost_objects) == 1


@pytest.mark.parametrize(
    'written',
    [
        './{}', '/home/somebody/{}', 'C:\\data\\{}', 'http://host:8080/data/upload/1/{}',
        '/data/local-files/?d=somewhere/{}', 'file://[somewhere/{}',
    ],
)  # fmt: skip
def test_names_as_tools_write_them(tmp_path, written):
    """Absolute paths, other separators and URLs are found by their last name."""
    names = ['my photo 1.jpg', 'ü.jpg', ' 3.jpg']
    write(tmp_path, 'a.json', content_of(names), 'images')
    content = content_of([written.format(name.replace(' ', '%20')) for name in names])
    if 'http' not in written and '?' not in written:
        content = content_of([written.format(name) for name in names])
    write(tmp_path, 'a.json', content)
    assert set(read(tmp_path)[0]) == {f'images/{name}' for name in names}


def test_images_without_annotation_and_without_entry(tmp_path):
    """The first are negatives; the second are counted as not used."""
    content = content_of(NAMES)
    content['annotations'] = content['annotations'][:2]
    write(tmp_path, 'a.json', content, 'images')
    Image.new('RGB', (30, 20)).save(tmp_path / 'images/more.jpg')
    found, _, account = read(tmp_path)
    assert found['images/3.jpg'] == ('all', []) and 'images/more.jpg' not in found
    assert list(account.unused) == [NOT_LISTED]


def test_missing_images_are_counted_with_their_objects(tmp_path):
    """An image that is not there, one of a type that is not read."""
    write(tmp_path, 'a.json', content_of([*NAMES, 'b.heic']), None)
    write(tmp_path, 'a.json', content_of(NAMES[:3]), 'images')
    write(tmp_path, 'a.json', content_of([*NAMES, 'b.heic']), None)
    (tmp_path / 'images/b.heic').write_bytes(b'x')
    found, _, account = read(tmp_path)
    assert len(found) == 3 and total(account.lost_objects) == 2
    assert list(account.lost_images) == ['no such image', 'type .heic is not read']


def test_a_file_of_all_images_beside_its_parts(tmp_path):
    """It is not used; with further images it has to be chosen."""
    write(tmp_path, 'train.json', content_of(NAMES[:3]), 'images')
    write(tmp_path, 'val.json', content_of(NAMES[3:]), 'images')
    write(tmp_path, 'all.json', content_of(NAMES))
    found, _, account = read(tmp_path)
    assert [part for part, _ in found.values()] == ['train'] * 3 + ['val']
    assert list(account.unused) == ['all its images are in train.json, val.json']
    write(tmp_path, 'all.json', content_of([*NAMES, '9.jpg']), 'images')
    with pytest.raises(UserError, match=r'lists 1 images .*; give one file \(tcnn fit .*all.json'):
        read(tmp_path)
    assert len(read(tmp_path / 'all.json')[0]) == 5


def test_an_image_of_two_parts_is_given_for_both(tmp_path):
    """Which of them it is used for is decided for all formats in one place."""
    write(tmp_path, 'val.json', content_of(NAMES), 'images')
    write(tmp_path, 'test.json', content_of(NAMES))
    found = reading(tmp_path).read(Account())
    assert [image.part for image in found.images] == ['val'] * 4 + ['test'] * 4


def test_several_files_of_one_part(tmp_path):
    """Different images are read together; the same images have to be chosen, or 'instances'."""
    write(tmp_path, 'batch_1/annotations.json', content_of(NAMES[:2]), 'batch_1')
    write(tmp_path, 'batch_2/annotations.json', content_of(NAMES[:2]), 'batch_2')
    found, _, account = read(tmp_path)
    assert len(found) == 4 and 'read together' in account.notes[0]
    write(tmp_path, 'batch_2/copy.json', content_of(NAMES[:2]))
    with pytest.raises(UserError, match='list the same 2 images; give one file') as caught:
        read(tmp_path)
    assert '\n' not in str(caught.value)
    (tmp_path / 'batch_2/copy.json').rename(tmp_path / 'batch_2/instances.json')
    found, _, account = read(tmp_path)
    assert len(found) == 4 and len(account.unused) == 1


def test_two_entries_of_one_file_that_are_one_image(tmp_path):
    """Objects of two entries are not laid on one image."""
    write(tmp_path, 'a.json', content_of(['x/0.jpg', 'y/0.jpg']), 'images')
    with pytest.raises(UserError, match=r"'x/0.jpg' and 'y/0.jpg' are the same image images/0"):
        read(tmp_path)


def test_classes_are_matched_by_name(tmp_path):
    """Parts that number their categories otherwise; classes that only one part has."""
    write(tmp_path, 'train/a.json', content_of(NAMES), 'train')
    other = content_of(NAMES, categories=[dict(id=2, name='cat'), dict(id=1, name='ape')])
    write(tmp_path, 'val/a.json', other, 'val')
    found, classes, _ = read(tmp_path)
    assert classes == ['cat', 'dog', 'ape']
    assert found['val/0.jpg'] == ('val', ['ape']) and found['val/1.jpg'] == ('val', ['cat'])


def test_other_json_files_are_not_read(tmp_path):
    """Broken and unrelated JSON anywhere changes nothing, and is no COCO by itself."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools/settings.json').write_text('{ // comment\n "a": 1, }')
    (tmp_path / 'list.json').write_text('{"0.jpg": ["cat"]}')
    (tmp_path / 'gone.json').symlink_to(tmp_path / 'nowhere.json')
    (tmp_path / 'big.json').write_text(json.dumps(dict(shapes=[], imageData='x' * 200_000)))
    assert reading(tmp_path) is None
    write(tmp_path, 'a.json', content_of(NAMES), 'images')
    found, _, account = read(tmp_path)
    assert len(found) == 4 and not account.lines()


def test_a_broken_file_ends_the_reading_where_nothing_replaces_it(tmp_path):
    """Alone, given as the file, or the only file of its part; else it is counted."""
    text = json.dumps(content_of(NAMES))
    write(tmp_path, 'train.json', content_of(NAMES), 'images')
    (tmp_path / 'old.json').write_text(text[:-60])
    found, _, account = read(tmp_path)
    assert len(found) == 4 and list(account.unused) == ['JSON that cannot be read as COCO']
    for path, data in (('old.json', text[:-60]), ('val.json', text[:-60]), ('val.json', '{"a"')):
        (tmp_path / path).write_text(data)
        with pytest.raises(UserError, match=f'{path}: broken JSON'):
            read(tmp_path / (path if data == '{"a"' or path == 'old.json' else ''))
    (tmp_path / 'train.json').unlink(), (tmp_path / 'val.json').unlink()
    with pytest.raises(UserError, match='old.json: broken JSON'):
        read(tmp_path)


def test_files_without_boxes_or_categories_alone(tmp_path):
    """One line each: no boxes, no categories, no images, UTF-16."""
    captions = [dict(id=1, image_id=1, caption='x', bbox=None)]
    no_categories = content_of(NAMES)
    del no_categories['categories']
    for content, said, encoding in (
        (dict(images=[], annotations=captions), 'no boxes in it', 'utf-8'),
        (no_categories, 'no "categories" in it', 'utf-8'),
        (content_of([]), 'no image in "images"', 'utf-8'),
        (content_of(NAMES), 'this is UTF-16', 'utf-16'),
    ):
        write(tmp_path, 'a.json', content, encoding=encoding)
        with pytest.raises(UserError, match=said) as caught:
            read(tmp_path)
        assert '\n' not in str(caught.value)


def test_faults_name_the_file_and_repairs_the_path_below_the_root(tmp_path):
    """An error has the whole path, the account the short one."""
    content = content_of(NAMES)
    content['annotations'][1]['image_id'] = '2'
    write(tmp_path, 'a/x.json', content, 'a')
    *_, account = read(tmp_path)
    assert account.lines()[0].endswith('(a/x.json: annotation 2)')
    content['annotations'][1]['bbox'] = None
    write(tmp_path, 'a/x.json', content)
    with pytest.raises(UserError, match=f'^{tmp_path}/a/x.json: annotation 2: bbox is None'):
        read(tmp_path)


NAME = st.sampled_from(
    [*NAMES, './0.jpg', 'a/0.jpg', 'b/0.jpg', '/a/1.jpg', 'x/9.jpg', '0', '0.JPG']
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(['train.json', 'val.json', 'all.json', 'a/x.json', 'b/y.json']),
        st.lists(NAME, min_size=1, max_size=4),
        min_size=1, max_size=3,
    ),
    st.sets(st.sampled_from(['0.jpg', '1.jpg', 'a/0.jpg', 'a/1.jpg', 'b/0.jpg', 'train/2.jpg'])),
)  # fmt: skip
def test_every_image_and_object_is_in_the_account(files, images):
    """Any files over any images: read or refused in one line, nothing lost without a word."""
    with tempfile.TemporaryDirectory() as root:
        for image in images:
            (Path(root) / image).parent.mkdir(exist_ok=True)
            (Path(root) / image).write_bytes(b'')
        for file, names in files.items():
            write(root, file, copy.deepcopy(content_of(names)))
        account = Account()
        try:
            found = reading(root).read(account)
        except UserError as error:
            assert '\n' not in str(error)
            return
        unused = [reason for reason in account.unused if reason != NOT_LISTED]
        not_listed = account.unused.get(NOT_LISTED)
        used = {image.file for image in found.images}
        assert len(used) + (total({'': not_listed}) if not_listed else 0) == len(images)
        if not unused:
            listed = sum(map(len, files.values()))
            assert len(found.images) + total(account.lost_images) == listed
            objects = sum(len(image.objects) for image in found.images)
            assert objects + total(account.lost_objects) == listed


def test_folders_of_images_say_the_parts_where_no_file_does(tmp_path):
    """One annotations.json for images in train2017/ and val2017/: its test images stay apart."""
    names = [f'{folder}/{n}.jpg' for folder in ('train2017', 'val2017') for n in range(2)]
    content = content_of(names)
    for image in content['images']:
        path = tmp_path / image['file_name']
        path.parent.mkdir(exist_ok=True)
        Image.new('RGB', (30, 20)).save(path)
    write(tmp_path, 'annotations.json', content)
    found, _, _ = read(tmp_path)
    assert [part for part, _ in found.values()] == ['train', 'train', 'val', 'val']


def test_a_part_without_annotations_is_said(tmp_path):
    """A test file without annotations can be one that hides them: a note counts its images."""
    write(tmp_path, 'train/a.json', content_of(['1.jpg', '2.jpg']), images='train')
    write(tmp_path, 'test/a.json', content_of(['3.jpg'], annotations=[]), images='test')
    _, _, account = read(tmp_path)
    assert [note for note in account.notes if 'test/a.json: no annotation: its 1 images' in note]


def test_panoptic_annotations_are_told(tmp_path):
    """They have segments in place of a box and a category."""
    content = content_of(['1.jpg'])
    content['annotations'] = [dict(image_id=1, file_name='1.png', segments_info=[])]
    write(tmp_path, 'panoptic.json', content, images='.')
    with pytest.raises(UserError, match='annotation 1 is panoptic .segments_info.; give the file'):
        read(tmp_path)
