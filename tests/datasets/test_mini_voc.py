"""The embedded data set: what it promises about itself, and its first use."""

import hashlib
import multiprocessing
from collections import Counter

import numpy as np
import PIL
import pytest
from PIL import Image

from tcnn_mm.datasets.mini_voc import drawing
from tcnn_mm.datasets.mini_voc.dataset import MiniVOC
from tcnn_mm.datasets.mini_voc.prepare import VERSION, prepare
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.errors import UserError
from tests.support.time_limit import LONGEST

NUM_SOURCE = 48


def digest(folder):
    """One hash of all file names and contents below a folder."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob('*') if p.is_file()):
        total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('minivoc')
    prepare('target', root)
    prepare('source', root, NUM_SOURCE)
    return root


@pytest.mark.parametrize('task', ['target', 'source'])
def test_drawn_twice_is_equal(task, root, tmp_path):
    """Two draws of a task agree in every byte."""
    first, second = (prepare(task, r, NUM_SOURCE) for r in (root, tmp_path))
    assert first != second and first.name == second.name
    assert digest(first) == digest(second)


def drawn(images):
    """One hash of images and what is said of them."""
    total = hashlib.sha256()
    for image, said in images:
        total.update(np.asarray(image).tobytes() + repr(said).encode())
    return total.hexdigest()[:16]


@pytest.mark.skipif(
    not PIL.__version__.startswith('13.'), reason="another Pillow's edges differ by a few levels"
)
def test_what_is_drawn_is_that_of_the_version():
    """Pinned pixels and annotations: whoever changes the drawing raises VERSION and pins anew."""
    source = drawn(map(drawing.draw_source, range(NUM_SOURCE)))
    target = drawn(scene for split in drawing.TARGET_SPLITS for scene in drawing.draw_split(split))
    assert (VERSION, source, target) == (1, '7f712a3b8dec37e8', '047ba2fdc2cadeff')


def test_the_folders_name_is_the_version(root):
    """The cache holds one folder per task and version."""
    names = sorted(path.name for path in root.iterdir())
    assert names == [f'minivoc-source-{NUM_SOURCE}-v{VERSION}', f'minivoc-target-v{VERSION}']


def test_tasks_share_no_class():
    """Twelve source and six target classes are disjoint, and every one has a shape."""
    source, target = set(drawing.SOURCE_CLASSES), set(drawing.TARGET_CLASSES)
    assert len(source) == 12 and len(target) == 6
    assert not source & target
    assert source | target == set(drawing.SHAPES)


@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_statistics(split, root):
    """Each split: its size, ≥ 2 objects a scene, ≥ 5 % difficult, ≥ 15 positive images a class."""
    data = MiniVOC(split=split, data_root=root)
    assert len(data) == drawing.TARGET_SPLITS[split]
    items = [data.get_data_info(i) for i in range(len(data))]
    objects = sum(len(item['gt_bboxes']) for item in items)
    assert objects >= 2 * len(items)
    assert all(1 <= len(item['gt_bboxes']) <= 4 for item in items)
    difficult = np.concatenate([item['gt_bboxes_difficult'] for item in items])
    assert 0.05 <= difficult.mean() <= 0.15
    assert 0.05 <= np.concatenate([i['gt_bboxes_truncated'] for i in items]).mean() <= 0.3
    positive = Counter(k for item in items for k in item['gt_label'])
    assert sorted(positive) == list(range(6)) and min(positive.values()) >= 15


def test_scenes_differ_between_splits(root):
    """No scene of one split is a scene of another."""
    images = prepare('target', root) / 'JPEGImages'
    hashes = [hashlib.sha256(p.read_bytes()).digest() for p in images.iterdir()]
    assert len(hashes) == 240 and len(set(hashes)) == 240


def test_target_is_a_voc_folder(root):
    """Any reader of VOC's layout takes the target task; boxes lie tightly inside images."""
    folder = prepare('target', root)
    plain = VOCObjects(
        data_root=str(folder), split='trainval', metainfo=dict(classes=drawing.TARGET_CLASSES)
    )
    ours = MiniVOC(split='trainval', data_root=root)
    assert len(plain) == len(ours) == 120
    sizes = Counter()
    for i in range(len(ours)):
        mine, item = ours.get_data_info(i), plain.get_data_info(i)
        assert mine['img_id'] == item['img_id']
        np.testing.assert_array_equal(mine['gt_bboxes'], item['gt_bboxes'])
        with Image.open(item['img_path']) as image:
            assert image.size == (item['width'], item['height'])
            assert image.mode == 'RGB'
        sizes[image.size] += 1
        boxes = item['gt_bboxes']
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= (item['width'], item['height'])).all()
    assert set(sizes) == {(160, 120), (120, 160)}


def test_annotations_say_what_was_drawn(root):
    """Boxes, names and flags survive the XML to the pixel (VOC counts from 1)."""
    data = MiniVOC(split='val', data_root=root)
    for i, (image, objects) in enumerate(drawing.draw_split('val')):
        item = data.get_data_info(i)
        assert (item['width'], item['height']) == image.size
        assert [tuple(box) for box in item['gt_bboxes']] == [o['box'] for o in objects]
        names = [drawing.TARGET_CLASSES[k] for k in item['gt_bboxes_labels']]
        assert names == [o['name'] for o in objects]
        for flag in ('difficult', 'truncated'):
            assert item[f'gt_bboxes_{flag}'].tolist() == [o[flag] for o in objects]


def test_source_labels_are_ints(root):
    """A source item is a classification item: an image of 64×64 and one int class."""
    train = MiniVOC(task='source', data_root=root, num_source=NUM_SOURCE)
    val = MiniVOC(task='source', split='val', data_root=root, num_source=NUM_SOURCE)
    assert train.metainfo['classes'] == drawing.SOURCE_CLASSES
    assert len(train) == NUM_SOURCE and len(val) == 12
    labels = [train.get_data_info(i)['gt_label'] for i in range(NUM_SOURCE)]
    assert all(type(label) is int for label in labels)
    assert Counter(labels) == dict.fromkeys(range(12), 4)
    with Image.open(train.get_data_info(0)['img_path']) as image:
        assert image.size == (64, 64)
    ids = {d.get_data_info(i)['img_id'] for d in (train, val) for i in range(len(d))}
    assert len(ids) == NUM_SOURCE + 12


def test_source_feeds_mmpretrain(root):
    """mmpretrain's own pipeline packs a source item with a one-element label."""
    pipeline = [dict(type='mmpretrain.LoadImageFromFile'), dict(type='mmpretrain.PackInputs')]
    data = MiniVOC(task='source', data_root=root, num_source=NUM_SOURCE, pipeline=pipeline)
    packed = data[5]
    assert packed['inputs'].shape == (3, 64, 64)
    assert packed['data_samples'].gt_label.tolist() == [5]


def _use(root, barrier, queue):
    barrier.wait()
    queue.put((str(prepare('target', root)), len(MiniVOC(data_root=root))))


def test_two_first_uses_at_once(tmp_path, root):
    """Two processes that draw at once end with one complete set and no leftovers."""
    context = multiprocessing.get_context('fork')
    barrier, queue = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_use, args=(tmp_path, barrier, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    answers = {queue.get(timeout=LONGEST) for _ in workers}
    for worker in workers:
        worker.join(LONGEST)
        assert worker.exitcode == 0
    (answer,) = answers
    assert answer[1] == 60
    assert [str(path) for path in tmp_path.iterdir()] == [answer[0]]
    assert digest(prepare('target', tmp_path)) == digest(prepare('target', root))


def test_a_failed_draw_leaves_nothing(tmp_path, monkeypatch):
    """An interrupted drawing is not taken for a set, and the next use draws anew."""

    def fail(index):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(drawing, 'draw_source', fail)
        with pytest.raises(KeyboardInterrupt):
            prepare('source', tmp_path, NUM_SOURCE)
    assert list(tmp_path.iterdir()) == []
    assert prepare('source', tmp_path, NUM_SOURCE).is_dir()


def test_default_place_is_the_cache(tmp_path, monkeypatch):
    """Without data_root the set is drawn below $TCNN_CACHE."""
    monkeypatch.setenv('TCNN_CACHE', str(tmp_path / 'cache'))
    assert prepare('source', num_source=12).parent == tmp_path / 'cache'


def test_errors_say_what_to_do(tmp_path):
    """A wrong task or split lists the choices; an unusable folder names the way out."""
    with pytest.raises(ValueError, match='source.*target'):
        MiniVOC(task='both')
    with pytest.raises(ValueError, match='trainval'):
        MiniVOC(task='source', split='test')
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='TCNN_CACHE'):
        prepare('target', tmp_path / 'file' / 'below')


@pytest.mark.parametrize('task, split', [('target', 'train'), ('source', 'val')])
def test_other_classes_are_given_as_the_error_says(task, split, root):
    """Fewer classes: an error that names metainfo and allow_unknown; with these it is read."""
    options = dict(task=task, split=split, data_root=root, num_source=NUM_SOURCE)
    classes = MiniVOC(**options).metainfo['classes']
    with pytest.raises(UserError, match=r'metainfo=dict\(classes=\(…\)\), or allow_unknown=True'):
        MiniVOC(metainfo=dict(classes=classes[:2]), **options)
    few = MiniVOC(metainfo=dict(classes=classes[:2]), allow_unknown=True, **options)
    labels = {
        int(k) for i in range(len(few)) for k in np.atleast_1d(few.get_data_info(i)['gt_label'])
    }
    assert few.metainfo['classes'] == classes[:2] and labels == {0, 1}
    turned = MiniVOC(metainfo=dict(classes=classes[::-1]), **options)
    assert turned.metainfo['classes'] == classes[::-1] and len(turned) >= len(few)
