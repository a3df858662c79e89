"""Any tree of files is read with every image accounted for, or refused in one line."""

import json
import os
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.folder_scan import is_image
from tcnn_mm.datasets.formats.parts import part_of_name
from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError

FOLDERS = [
    '', 'images', 'JPEGImages', 'Annotations', 'labels', 'masks', 'train', 'Valid', 'test', 'cat',
    'dog', 'seg_train', '__MACOSX', '.ipynb_checkpoints', 'data set', 'é',
]  # fmt: skip
STEMS = ['a', 'b', '1', '._a', 'train', 'labels', 'classes', 'data', 'x y']
IMAGE_FILES = ['.jpg', '.PNG', '.gif', '.heic']
XML = (
    '<annotation><size><width>8</width><height>6</height></size><object><name>{name}</name><bndbox>'
    '<xmin>{x}</xmin><ymin>1</ymin><xmax>6</xmax><ymax>5</ymax></bndbox></object></annotation>'
)
PIXELS = Image.fromarray(np.zeros((6, 8, 3), np.uint8))


def coco(names):
    images = [
        dict(id=n, file_name=f'{stem}.jpg', width=8, height=6) for n, stem in enumerate(names)
    ]
    boxes = [dict(id=n, image_id=n, category_id=1, bbox=[1, 1, 4, 4]) for n in range(len(names))]
    return json.dumps(dict(images=images, annotations=boxes, categories=[dict(id=1, name='cat')]))


stems = st.sampled_from(STEMS)
texts = st.one_of(
    st.builds(lambda n, x: XML.format(name=n, x=x), st.sampled_from(['cat', 'dog', '']), stems),
    st.builds(lambda n, x: XML.format(name=n, x=x), st.sampled_from(['cat', 'dog']),
              st.integers(-3, 9)),
    st.lists(stems, max_size=4).map(coco),
    st.lists(st.tuples(stems, st.sampled_from(['cat', 'dog', '0.5', 'train'])), max_size=5).map(
        lambda rows: 'file,label\n' + ''.join(f'{a}.jpg,{b}\n' for a, b in rows)
    ),
    st.lists(st.integers(0, 2), max_size=3).map(
        lambda classes: ''.join(f'{k} 0.5 0.5 0.4 0.4\n' for k in classes)
    ),
    st.just('names: [cat, dog]\n'),
    st.text(max_size=30),
)  # fmt: skip
files = st.lists(
    st.tuples(
        st.lists(st.sampled_from(FOLDERS), max_size=3).map(lambda n: '/'.join(filter(None, n))),
        stems,
        st.sampled_from([*IMAGE_FILES * 3, '.xml', '.json', '.csv', '.txt', '.yaml', '.md']),
        texts,
    ),
    max_size=14,
)  # fmt: skip


def write(root: Path, tree) -> None:
    for folder, stem, suffix, text in tree:
        path = root / folder / f'{stem}{suffix}'
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix in ('.jpg', '.PNG', '.gif'):
            PIXELS.save(path)
        else:
            path.write_text(text, encoding='utf-8')


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(files)
def test_any_tree(tmp_path_factory, tree):
    """Used images, lost ones and unused files are all image files; parts are never classes."""
    root = tmp_path_factory.mktemp('any')
    write(root, tree)
    try:
        found = read_data(str(root), ReadOptions(allow_missing=True))
    except UserError as error:
        assert '\n' not in str(error) or 'no data' in str(error)
        return
    images = {
        os.path.relpath(os.path.join(at, name), root)
        for at, _, names in os.walk(root)
        for name in names
        if is_image(name)
    }
    used = [image.id for image in found.images]
    assert len(set(used)) == len(used) and set(used) <= images
    hidden = [i for i in images if any(p.startswith(('.', '__MACOSX')) for p in i.split('/'))]
    assert not set(used) & set(hidden)
    if not found.boxes and 'one folder per class' in found.description:
        assert not [name for name in found.classes if part_of_name(name)]
    for image in found.images:
        height, width = image.checked.size_hw
        for item in image.checked.image.objects:
            x1, y1, x2, y2 = item.box
            assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
            assert item.name in found.classes
    account = found.account
    entries = [*account.lost_images.values(), *account.unused.values()]
    counted = {place for entry in entries for place in entry}
    assert images - set(hidden) - set(used) <= counted


def test_the_account_is_empty_for_clean_data():
    """What is used as it is makes no line."""
    account = Account()
    assert account.lines() == [] and total(account.lost_images) == 0
