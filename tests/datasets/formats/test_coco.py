"""The parser of COCO files: faults of structure are named, harmless ones repaired and counted."""

import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.coco import parse_coco, read_coco
from tcnn_mm.errors import UserError
from tests.support.own_data import coco


def content_of(count=4):
    """A valid file: one object per image, categories 7 'blue' and 3 'red'."""
    return coco(range(count))


def parsed(content):
    """The parsed file, its account, and (class, box) per object."""
    account = Account()
    found = parse_coco(content, 'a.json', account)
    return found, account, [(o.name, o.box) for image in found.images for o in image.objects]


def changed(section, at, **values):
    """A valid file with values of one entry changed; Ellipsis removes a key."""
    content = content_of()
    for key, value in values.items():
        if value is ...:
            content[section][at].pop(key, None)
        else:
            content[section][at][key] = value
    return content


def retyped(section, key, kind):
    """A valid file with one key of all entries in another type."""
    content = content_of()
    for entry in content[section]:
        entry[key] = kind(entry[key])
    return content


def test_a_valid_file_needs_no_repair():
    """Images in order, boxes as edges, classes by the ids of the categories."""
    found, account, objects = parsed(content_of())
    assert [image.file_name for image in found.images] == [f'image_{n}.png' for n in range(4)]
    assert found.classes == ['red', 'blue'] and not account.lines()
    x, y, width, height = content_of()['annotations'][0]['bbox']
    assert objects[0] == ('blue', (x, y, x + width, y + height))
    assert found.images[0].size_hw == (90, 120)


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    'content, said',
    [
        (changed('images', 1, id=...), 'image 2 has no "id"; its keys:'),
        (changed('images', 1, id=None), 'image 2: id is null'),
        (changed('images', 1, id=[1]), r'image 2: id is \[1\], expected a number or text'),
        (changed('images', 1, id=True), 'image 2: id is True'),
        (changed('images', 1, id=1.5), 'image 2: id is 1.5'),
        (changed('images', 1, id=0), "image 2: duplicate id 0, also of 'image_0.png'"),
        (changed('images', 1, file_name=...), 'image 2 has no "file_name"'),
        (changed('images', 1, file_name=None), 'image 2: file_name is null'),
        (changed('images', 1, file_name=' '), "image 2: file_name is ' ', expected text"),
        (changed('images', 1, file_name={}), r'image 2: file_name is \{\}'),
        (changed('images', 1, file_name='./image_0.png'), 'image 2: duplicate file_name image_0'),
        (changed('images', 1, file_name='a\\..\\image_0.png'), 'duplicate file_name image_0.png'),
        (changed('images', 1, width='wide'), r"height and width are \[90, \"wide\"\]"),
        (changed('images', 1, width=[120]), 'image 2: height and width are'),
        (changed('annotations', 1, image_id=...), 'annotation 2 has no "image_id"'),
        (changed('annotations', 1, image_id=None), 'annotation 2: image_id is null'),
        (changed('annotations', 1, category_id=...), 'annotation 2 has no "category_id"'),
        (changed('annotations', 1, category_id=None), 'annotation 2: category_id is null'),
        (changed('annotations', 1, category_id=9), r'category_id 9 is not among the .*\(7, 3\)'),
        (changed('annotations', 1, id=77, category_id=9), r'annotation 2 \(id 77\): category_id'),
        (changed('annotations', 1, bbox=...), 'annotation 2 has no "bbox", and no segmentation'),
        (changed('annotations', 1, bbox=None), 'annotation 2: bbox is None, and no segmentation'),
        (changed('annotations', 1, bbox=[]), r'annotation 2: bbox is \[\], and no segmentation'),
        (changed('annotations', 1, bbox=[1, 2]), r'bbox is \[1, 2\], expected \[x, y, width'),
        (changed('annotations', 1, bbox=[1, 2, 3, 4, 30]), 'a rotated box'),
        (changed('annotations', 1, bbox=[1, 2, 3, NAN]), 'annotation 2: bbox is'),
        (changed('annotations', 1, bbox=[1, 2, INF, 4]), 'annotation 2: bbox is'),
        (changed('annotations', 1, bbox=[1e308, 2, 1e308, 4]), 'annotation 2: bbox is'),
        (changed('annotations', 1, bbox=[1, 2, True, 4]), 'annotation 2: bbox is'),
        (changed('annotations', 1, bbox='1,2,3,4'), "annotation 2: bbox is '1,2,3,4'"),
        (changed('annotations', 1, bbox={'x': 1}), 'annotation 2: bbox is'),
        (changed('annotations', 1, iscrowd='often'), "iscrowd is 'often', expected 0 or 1"),
        (changed('annotations', 1, iscrowd=[]), r'iscrowd is \[\], expected 0 or 1'),
        (changed('categories', 1, id=...), 'category 2 has no "id"'),
        (changed('categories', 1, id=None), 'category 2: id is null'),
        (changed('categories', 1, id=7), "category 2: duplicate id 7 of 'blue' and 'red'"),
        (changed('categories', 1, name=...), 'category 2 has no "name"'),
        (changed('categories', 1, name=''), "category 2: name is ''"),
        (dict(content_of(), images={}), r'"images" is \{\}, expected a list'),
        (dict(content_of(), annotations=[5]), 'annotation 1 is 5, expected an object'),
        (dict(content_of(), categories=None), '"categories" is None, expected a list'),
    ],
)  # fmt: skip
def test_a_fault_of_structure_is_named(content, said):
    """One line with file, entry and key."""
    with pytest.raises(UserError, match=said) as caught:
        parsed(content)
    message = str(caught.value)
    assert message.startswith('a.json: ') and '\n' not in message and len(message) < 300


@pytest.mark.parametrize(
    'content, reason, count',
    [
        (retyped('annotations', 'image_id', str), 'image_id is text', 4),
        (retyped('images', 'id', str), 'image_id is text', 4),
        (retyped('annotations', 'image_id', lambda n: f'00{n}'), 'image_id is text', 4),
        (retyped('annotations', 'category_id', str), 'category_id is text', 4),
        (retyped('annotations', 'category_id', lambda n: f'{n}.0'), 'category_id is text', 4),
        (retyped('categories', 'id', str), 'category_id is text', 4),
        (retyped('annotations', 'bbox', lambda b: [*map(str, b)]), 'bbox is text', 4),
        (retyped('annotations', 'iscrowd', str), 'iscrowd is text', 4),
        (retyped('annotations', 'area', lambda _: 0), 'area is not positive', 4),
        (retyped('annotations', 'area', lambda _: NAN), 'area is not positive', 4),
        (retyped('images', 'width', str), 'size is text', 4),
        (dict(content_of(), categories=content_of()['categories'] * 2), 'more than once', 2),
    ],
)
def test_what_has_one_meaning_is_repaired_and_counted(content, reason, count):
    """The objects are those of the valid file; the account has the number of repairs."""
    found, account, objects = parsed(content)
    assert objects == parsed(content_of())[2] and found.classes == ['red', 'blue']
    assert [image.size_hw for image in found.images] == [(90, 120)] * 4
    assert len(account.repairs) == 1 and reason in next(iter(account.repairs))
    assert total(account.repairs) == count


@pytest.mark.parametrize(
    'content',
    [
        retyped('annotations', 'id', lambda _: 0),
        retyped('annotations', 'id', lambda _: None),
        retyped('annotations', 'image_id', float),
        retyped('annotations', 'iscrowd', bool),
        retyped('annotations', 'area', lambda _: None),
        changed('annotations', 0, id=..., area=..., iscrowd=...),
        changed('annotations', 0, segmentation=[[]]),
    ],
)
def test_what_nothing_depends_on_is_not_looked_at(content):
    """Ids of annotations, missing areas and empty segmentations change nothing."""
    _, account, objects = parsed(content)
    assert objects == parsed(content_of())[2] and not account.lines()


def test_ids_are_matched_as_they_are_written_first():
    """Text ids that differ only in zeros in front stay different; what is unclear is unlisted."""
    content = content_of(2)
    content['images'][0]['id'], content['images'][1]['id'] = '1', '01'
    content['annotations'][0]['image_id'], content['annotations'][1]['image_id'] = '01', 1
    found, account, _ = parsed(content)
    assert [len(image.objects) for image in found.images] == [0, 1]
    assert total(account.lost_objects) == 1


def test_long_ids_keep_all_their_digits():
    """Ids of 18 digits, and of more than a float holds, are told apart."""
    content = content_of(3)
    for image, annotation, number in zip(
        content['images'], content['annotations'], (10**17 + 1, 10**17 + 2, 10**400), strict=True
    ):
        image['id'], annotation['image_id'] = number, str(number) if number < 10**18 else number
    assert [len(image.objects) for image in parsed(content)[0].images] == [1, 1, 1]


@pytest.mark.parametrize('bbox', [..., None, []])
def test_a_missing_box_is_that_of_the_segmentation(bbox):
    """Polygons, and run lengths as list and as text."""
    polygons = [[1, 2, 11, 2, 11, 22], [5, 5, 30, 6, 7, 8]]
    runs = dict(size=[4, 5], counts=[5, 2, 2, 3, 8])
    for segmentation, box in ((polygons, (1, 2, 30, 22)), (runs, (1, 1, 3, 4))):
        content = changed('annotations', 0, bbox=bbox, segmentation=segmentation)
        _, account, objects = parsed(content)
        assert objects[0] == ('blue', box)
        assert list(account.repairs) == ['no bbox: box of the segmentation']


def test_annotations_of_unknown_images_are_counted():
    """They are lost objects, not objects of other images."""
    found, account, objects = parsed(changed('annotations', 2, image_id=99))
    assert len(found.images) == 4 and len(objects) == 3
    assert total(account.lost_objects) == 1


@pytest.mark.parametrize('size', [0, '0', -3, 0.5, '', None])
def test_a_size_that_is_none_is_unknown(size):
    """Text and zero are no size; the image's own counts then."""
    if size == '':
        pytest.raises(UserError, parsed, changed('images', 0, width=size))
        return
    assert parsed(changed('images', 0, width=size))[0].images[0].size_hw is None


def test_crowds_and_ignored_objects_are_difficult():
    """They are kept: as difficult objects they label nothing."""
    for key, value in (('iscrowd', 1), ('iscrowd', 'true'), ('ignore', 1)):
        found, _, _ = parsed(changed('annotations', 0, **{key: value}))
        assert [o.difficult for image in found.images for o in image.objects] == [True] + [
            False
        ] * 3


def test_a_negative_width_is_left_out_and_counted():
    """A wrong sign, or another corner? The box could be at either side: it is not used."""
    whole = len(parsed(content_of())[2])
    _, account, objects = parsed(changed('annotations', 0, bbox=[50, 60, -20, 30]))
    assert len(objects) == whole - 1
    assert [len(e) for e in account.lost_objects.values()] == [1]


def roboflow(root='objects'):
    content = content_of()
    for category in content['categories']:
        category['supercategory'] = root
    content['categories'].insert(0, dict(id=0, name=root, supercategory='none'))
    return content


def test_the_root_category_of_roboflow_is_no_class():
    """It is left out with a note, also where its name is that of the only class."""
    found, account, _ = parsed(roboflow())
    assert found.classes == ['red', 'blue'] and 'root' in account.notes[0]
    content = roboflow('red')
    content['categories'] = [content['categories'][0], dict(id=3, name='red', supercategory='red')]
    content['annotations'] = [a for a in content['annotations'] if a['category_id'] == 3]
    found, account, _ = parsed(content)
    assert found.classes == ['red'] and len(account.notes) == 1


def test_a_root_category_with_annotations_is_a_class():
    content = roboflow()
    content['annotations'][0]['category_id'] = 0
    assert parsed(content)[0].classes == ['objects', 'red', 'blue']


def test_a_category_without_annotation_is_a_class():
    """As for pycocotools: the file says which classes there are."""
    content = content_of()
    content['categories'].append(dict(id=5, name='green', supercategory='none'))
    assert parsed(content)[0].classes == ['red', 'green', 'blue']


def test_categories_of_one_name_are_one_class():
    """Their objects are together, with a note."""
    found, account, objects = parsed(changed('categories', 1, name=' blue '))
    assert found.classes == ['blue'] and {name for name, _ in objects} == {'blue'}
    assert account.notes == ["categories 3, 7 are all 'blue': one class"]


def test_names_that_are_numbers_are_text():
    """A category and a file of a number's name."""
    content = changed('categories', 0, name=5)
    content['images'][0]['file_name'] = 17
    found, account, _ = parsed(content)
    assert found.classes == ['red', '5'] and found.images[0].file_name == '17'
    assert total(account.repairs) == 2


def test_classes_are_in_the_order_of_numbers():
    """10 is after 9, also as text; ids that are no numbers come last."""
    content = content_of()
    ids = ['10', '9', 'x', 3, 7]
    content['categories'] = [dict(id=i, name=f'n{i}') for i in ids]
    assert parsed(content)[0].classes == ['n3', 'n7', 'n9', 'n10', 'nx']


def test_corners_in_place_of_sides_are_refused():
    """Boxes that fit their images as [x1, y1, x2, y2] alone are not guessed at."""
    content = content_of(8)
    for at, annotation in enumerate(content['annotations']):
        annotation['bbox'] = [60 + at, 50, 118, 85]
    with pytest.raises(UserError, match='8 of 8 boxes reach out'):
        parsed(content)
    content['annotations'][0]['bbox'] = [60, 50, 20, 20]
    assert len(parsed(content)[2]) == 8


def test_what_is_no_coco_json_is_refused_in_one_line(tmp_path):
    """Broken, empty and deep JSON, another encoding, a key that is there twice, no section."""
    text = json.dumps(content_of())
    for data, said in (
        (text[:-20].encode(), 'broken JSON'),
        (b'', 'the file is empty'),
        (b'[' * 100_000, 'nested too deeply'),
        (text.encode('utf-16'), 'UTF-16'),
        (text.replace('image_0', 'é').encode('latin-1'), 'Latin-1'),
        (text[:-1].encode() + b', "images": []}', "key 'images' more than once"),
        (b'{"images": [], "annotations": []}', 'no "categories" in it'),
        (b'[]', 'no "images" in it'),
    ):
        (tmp_path / 'a.json').write_bytes(data)
        with pytest.raises(UserError, match=said) as caught:
            read_coco(str(tmp_path / 'a.json'))
        assert '\n' not in str(caught.value)
    (tmp_path / 'a.json').write_bytes(text.encode('utf-8-sig'))
    assert read_coco(str(tmp_path / 'a.json')) == content_of()


def test_a_duplicate_among_thirty_thousand_images():
    """Names and ids are looked up, not compared with each other; the last is a duplicate."""
    content = content_of(2)
    content['images'] = [dict(id=n, file_name=f'{n}.jpg') for n in range(30_000)]
    content['annotations'] *= 15_000
    assert len(parsed(content)[0].images) == 30_000
    content['images'][-1]['file_name'] = './0.jpg'
    with pytest.raises(UserError, match='image 30000: duplicate file_name 0.jpg, also of image 1'):
        parsed(content)


ODD = st.one_of(
    st.sampled_from(
        [None, True, '', ' ', '1', '01', '1.0', 'x\ny', '\udce9', 'nan', '1e999', [], {}, [[]]]
        + [0, 1, 3, 7, -1, 2.0, 1.5, 1e308, 10**400, NAN, INF, -INF, 'x' * 500, [1, 2, 3, 4, 5]]
    ),
    st.lists(st.one_of(st.integers(-200, 200), st.floats(), st.text(max_size=3)), max_size=5),
    st.dictionaries(st.sampled_from(['id', 'name', 'size', 'counts']), st.integers(), max_size=2),
)  # fmt: skip


@st.composite
def mutations(draw):
    """A valid file after a few changes anywhere: values replaced, removed, repeated or added."""
    content = copy.deepcopy(content_of(3))
    content['annotations'][0]['segmentation'] = [[1, 2, 3, 4, 5, 6]]
    for _ in range(draw(st.integers(1, 4))):
        place, depth = content, draw(st.integers(0, 3))
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if depth and isinstance(place[key], dict | list):
                place, depth = place[key], depth - 1
                continue
            change = draw(st.sampled_from(['replace', 'remove', 'repeat', 'add']))
            if change == 'replace':
                place[key] = copy.deepcopy(draw(ODD))
            elif change == 'remove':
                del place[key]
            elif isinstance(place, list):
                place.append(copy.deepcopy(place[key] if change == 'repeat' else draw(ODD)))
            else:
                new = draw(st.sampled_from(['ignore', 'area', 'supercategory', 'segmentation']))
                place[new] = copy.deepcopy(draw(ODD))
            break
    return content


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_any_content_is_read_whole_or_refused_in_one_line(content):
    """A result accounts for every image and annotation; anything else is one UserError."""
    if not {'images', 'annotations', 'categories'} <= set(content):
        return
    try:
        found, account, objects = parsed(content)
    except UserError as error:
        assert '\n' not in str(error) and len(str(error).encode()) < 400
        return
    assert len(found.images) == len(content['images'])
    assert len(objects) + total(account.lost_objects) == len(content['annotations'])
    assert {name for name, _ in objects} <= set(found.classes)
    assert all(math.isfinite(value) for _, box in objects for value in box)
    assert not any('\n' in line for line in account.lines())
