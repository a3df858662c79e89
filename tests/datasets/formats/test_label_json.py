"""Image labels in JSON: the two forms, and the JSON of other tools, which are passed over."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.label_json import file_labels, find_label_json, parse_label_json
from tcnn_mm.errors import UserError

NAMES = [f'im{at}.png' for at in range(6)]
LABELS = {name: ['disc'] if at % 2 else ['cross', 'disc'] for at, name in enumerate(NAMES)}


@pytest.fixture()
def folder(tmp_path):
    """Six images."""
    for name in NAMES:
        Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(tmp_path / name)
    return tmp_path


def find(path):
    scan = scan_folder(str(path))
    return find_label_json(scan, ImageIndex(scan.images))


def read(path):
    account = Account()
    found = find(path).read(account)
    return {image.file: image.labels for image in found.images}, found, account


@pytest.mark.parametrize(
    'content',
    [
        LABELS,
        [dict(file=name, labels=labels, note='x') for name, labels in LABELS.items()],
        {f'./{name}': labels[0] if len(labels) == 1 else labels for name, labels in LABELS.items()},
    ],
)
def test_both_forms(folder, content):
    """Also with one text in place of a list, and a byte order mark."""
    (folder / 'labels.json').write_text(json.dumps(content), encoding='utf-8-sig')
    for path in (folder, folder / 'labels.json'):
        labels, found, account = read(path)
        assert (labels, found.classes, found.boxes) == (LABELS, ['cross', 'disc'], False)
        assert account.lines() == []


def test_parts_missing_images_and_missing_labels(folder):
    """Parts by names; null is no label; what is missing or unlisted is counted."""
    (folder / 'train.json').write_text(
        json.dumps({'im0.png': None, 'im1.png': [3, 'nan'], 'gone.png': 'a'})
    )
    (folder / 'test.json').write_text(json.dumps({'im2.png': [12, 3]}))
    labels, found, account = read(folder)
    assert labels == {'im0.png': [], 'im1.png': ['3'], 'im2.png': ['12', '3']}
    assert {i.file: i.part for i in found.images} == {
        'im0.png': 'train', 'im1.png': 'train', 'im2.png': 'test',
    }  # fmt: skip
    assert found.classes == ['3', '12']
    assert len(account.lost_images['no such image']) == 1
    assert len(account.unused['image not listed in test.json, train.json']) == 3
    assert any('no label at 1 images' in note for note in account.notes)


OTHERS = {
    'class_indices.json': {'0': 'disc', '1': 'square'},
    'coco.json': dict(images=[dict(id=1, file_name='im0.png')], annotations=[], categories=[]),
    'via.json': {'im0.png12': dict(filename='im0.png', regions=[], file_attributes={})},
    'via2.json': {'im0.png': dict(filename='im0.png', regions=[], file_attributes={})},
    'labelme.json': dict(version='5', shapes=[], imagePath='im0.png', imageData=None),
    'labelstudio.json': [dict(id=1, data=dict(image='/data/upload/im0.png'), annotations=[])],
    'createml.json': [dict(image='im0.png', annotations=[])],
    'meta.json': dict(classes=[dict(title='disc')], tags=[]),
    'package.json': dict(name='x', files=['im0.png'], version='1'),
    'number.json': 3,
    'list.json': ['im0.png', 'im1.png'],
    'empty.json': {},
    'null.json': None,
}


@pytest.mark.parametrize('name', OTHERS)
def test_json_of_other_tools_is_passed_over(folder, name):
    """It neither is taken for labels nor raises."""
    (folder / name).write_text(json.dumps(OTHERS[name]))
    assert find(folder) is None and find(folder / name) is None


def test_broken_and_many_json_files_are_passed_over(folder):
    """One JSON per image is another tool's; so is what cannot be parsed."""
    (folder / 'a.json').write_bytes(b'{"im0.png": ')
    (folder / 'b.json').write_bytes(b'\xff\xfe{\0}\0')
    (folder / 'c.json').write_text('[' * 100_000)
    (folder / 'im0.json').write_text(json.dumps({'im0.png': ['a']}))
    (folder / 'im1.png.json').write_text(json.dumps({'im1.png': ['a']}))
    assert find(folder) is None
    for at in range(30):
        (folder / f'x{at}.json').write_text(json.dumps({'im0.png': ['a']}))
    assert find(folder) is None


def test_several_files_of_the_same_images_stop(folder):
    for name in ('a.json', 'b.json'):
        (folder / name).write_text(json.dumps(LABELS))
    with pytest.raises(UserError, match=r'2 files give labels .*\(a.json, b.json\); give one'):
        read(folder)


@pytest.mark.parametrize(
    'text, said',
    [
        ('{', 'not JSON'),
        ('3', 'int found'),
        ('{"im0.png": {"a": 1}}', "labels of im0.png are {'a': 1}"),
        ('{"im0.png": [0.5]}', 'labels of im0.png are [0.5]'),
        ('{"im0.png": [true]}', 'labels of im0.png are [True]'),
        ('[{"file": "im0.png"}]', 'entry 1: a row without file or labels'),
        ('[3]', 'entry 1: a row without file or labels'),
        ('{"im0.png": [], "im0.png": []}', 'duplicate file im0.png'),
        ('{"im0.png": [], "./im0.png": []}', 'duplicate file ./im0.png, also listed as im0.png'),
    ],
)
def test_what_is_wrong_is_one_line(text, said):
    """With the file, the key or entry, and the forms."""
    with pytest.raises(UserError) as error:
        file_labels(parse_label_json(text, 'a.json'), 'a.json', ImageIndex(NAMES), '', Account())
    assert said in str(error.value) and str(error.value).startswith('a.json')
    assert len(str(error.value).splitlines()) == 1 and len(str(error.value)) < 300


KEYS = st.one_of(st.sampled_from([*NAMES, 'file', 'labels', 'images']), st.text(max_size=4))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), KEYS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(VALUES.map(json.dumps), st.text()))
def test_any_text_is_read_or_refused_in_one_line(text):
    """Nothing but labels or a one-line UserError comes out of any text."""
    try:
        entries = parse_label_json(text, 'a.json')
        found = file_labels(entries, 'a.json', ImageIndex(NAMES), '', Account())
    except UserError as error:
        assert str(error).splitlines() == [str(error)] and len(str(error)) < 400
    else:
        assert found.keys() <= set(NAMES)
        assert all(isinstance(label, str) for labels in found.values() for label in labels)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.lists(st.sampled_from(['a', 'ß', 'a b']), unique=True)
    ),
    st.booleans(),
)
def test_written_labels_read_back(labels, rows):
    """Both forms."""
    content = [dict(file=n, labels=v) for n, v in labels.items()] if rows else labels
    entries = parse_label_json(json.dumps(content), 'a.json')
    assert file_labels(entries, 'a.json', ImageIndex(NAMES), '', Account()) == labels
