"""From a file to what a worker sends: colours, types, shapes, and errors on the way."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from PIL import Image

from tcnn_mm.datasets import LoadVOCObjects, PackPatchInputs, VOCObjects
from tcnn_mm.datasets import transforms as module
from tcnn_mm.errors import UserError
from tests.support.voc_folder import voc_xml, write_voc_folder

HEIGHT, WIDTH = 30, 40
RED = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RED[..., 0] = 255
CAT, DOG = 7, 11
OBJECTS = [
    dict(name='cat', box=(2, 3, 20, 25), difficult=0),
    dict(name='dog', box=(5, 5, 30, 30), difficult=1),
]


def data_of(root, objects=OBJECTS, picture=RED, meta_keys=(), **options):
    write_voc_folder(root, {'a': (picture, objects)})
    pipeline = [LoadVOCObjects(), PackPatchInputs(meta_keys=meta_keys)]
    return VOCObjects(str(root), pipeline=pipeline, **options)


def test_red_is_channel_zero(tmp_path):
    """A pure red file arrives as uint8 (3, H, W) RGB: channel 0 is 255, the others 0."""
    inputs = data_of(tmp_path)[0]['inputs']
    assert inputs.shape == (3, HEIGHT, WIDTH) and inputs.dtype == torch.uint8
    assert inputs.is_contiguous()
    assert inputs[0].eq(255).all() and inputs[1:].eq(0).all()


def test_loaded_image_is_bgr(tmp_path):
    """`img` follows the toolbox: BGR, so that its own transforms see what they expect."""
    write_voc_folder(tmp_path, {'a': (RED, OBJECTS)})
    item = VOCObjects(str(tmp_path), pipeline=[LoadVOCObjects()])[0]
    assert item['img'][0, 0].tolist() == [0, 0, 255]
    assert item['img_shape'] == item['ori_shape'] == (HEIGHT, WIDTH)


def test_sample_in_full(tmp_path):
    """The DataSample holds labels and boxes as tensors, the rest as metainfo."""
    sample = data_of(tmp_path, meta_keys=('width', 'not_there'))[0]['data_samples']
    assert sample.gt_label.tolist() == [CAT] and sample.gt_label.dtype == torch.int64
    assert sample.gt_bboxes.tolist() == [[1, 2, 20, 25], [4, 4, 30, 30]]
    assert sample.gt_bboxes.dtype == torch.float32
    assert sample.gt_bboxes_labels.tolist() == [CAT, DOG]
    assert sample.gt_bboxes_labels.dtype == torch.int64
    assert sample.gt_bboxes_difficult.tolist() == [False, True]
    assert sample.metainfo == dict(
        img_id='a',
        img_path=str(tmp_path / 'JPEGImages' / 'a.png'),
        ori_shape=(HEIGHT, WIDTH),
        gt_label_difficult=[DOG],
        width=WIDTH,
    )
    # Data fields, so that `.to(device)` moves them.
    fields = {'gt_label', 'gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult', 'image_labels'}
    assert set(sample.keys()) == fields
    assert sample.image_labels[[CAT, DOG]].tolist() == [1, 0]
    assert (sample.image_labels == -1).sum() == len(sample.image_labels) - 2


def test_image_without_objects(tmp_path):
    """No boxes: shapes (0, 4) and (0,), an empty gt_label, types as ever."""
    sample = data_of(tmp_path, objects=[])[0]['data_samples']
    assert sample.gt_bboxes.shape == (0, 4) and sample.gt_bboxes.dtype == torch.float32
    assert sample.gt_bboxes_labels.shape == sample.gt_bboxes_difficult.shape == (0,)
    assert sample.gt_label.shape == (0,) and sample.gt_label.dtype == torch.int64
    assert sample.gt_label_difficult == []


def test_annotations_may_be_absent():
    """An image alone (prediction) packs with the same, empty fields; one class id is a label."""
    packed = PackPatchInputs()(dict(img=RED, img_id='x'))
    assert packed['data_samples'].gt_bboxes.shape == (0, 4)
    packed = PackPatchInputs()(dict(img=RED, gt_label=3))
    assert packed['data_samples'].gt_label.tolist() == [3]


def test_batch_of_unequal_images(tmp_path):
    """Images of different sizes, 30 pixels among them, travel as a list."""
    images = {'a': (RED, OBJECTS), 'b': (RED[:, :30], OBJECTS), 'c': (RED[:20], [])}
    write_voc_folder(tmp_path, images)
    data = VOCObjects(str(tmp_path), pipeline=[LoadVOCObjects(), PackPatchInputs()])
    batch = pseudo_collate([data[i] for i in range(3)])
    sizes = [tuple(inputs.shape[1:]) for inputs in batch['inputs']]
    assert sizes == [(30, 40), (30, 30), (20, 40)]


def resized(tmp_path, size_hw, box):
    """A data set whose annotation claims `size_hw` for an image of 30×40."""
    data = data_of(tmp_path)
    text = voc_xml([dict(name='cat', box=box)], size_hw)
    (tmp_path / 'Annotations' / 'a.xml').write_text(text)
    return VOCObjects(str(tmp_path), pipeline=data.pipeline.transforms)


def test_wrong_size_reclips_the_boxes(tmp_path, monkeypatch):
    """Where the annotated size is wrong, boxes end at the real image; the log says so once."""
    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, *_: said.append(text))
    data = resized(tmp_path, (WIDTH, HEIGHT), (5, 20, 25, 38))
    assert data[0]['data_samples'].gt_bboxes.tolist() == [[4, 19, 25, 30]]
    data[0]
    assert len(said) == 1 and 'a.png: has 40×30 pixels, its annotation says 30×40' in said[0]


def test_box_outside_the_real_image(tmp_path):
    """An annotation of the turned image, its box wholly outside: one line with the file."""
    data = resized(tmp_path, (WIDTH, HEIGHT), (5, 33, 25, 38))
    with pytest.raises(UserError, match=r'a.png: box \(5, 33, 25, 38\) .* 40×30') as error:
        data[0]
    assert '\n' not in str(error.value)


def test_turned_image_keeps_stored_pixels(tmp_path):
    """An EXIF orientation leaves pixels, size and boxes alone."""
    data = data_of(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RED).save(tmp_path / 'JPEGImages' / 'a.png', exif=exif)
    packed = data[0]
    assert packed['inputs'].shape == (3, HEIGHT, WIDTH)
    assert packed['data_samples'].gt_bboxes[0].tolist() == [1, 2, 20, 25]


def test_data_set_without_images_cannot_load(tmp_path):
    """with_images=False and a loading pipeline contradict each other: said, not a crash."""
    with pytest.raises(UserError, match='with_images=False'):
        data_of(tmp_path, with_images=False)[0]


def test_truncated_image_in_a_worker(tmp_path):
    """The line about a broken file survives a loader's worker process, at the end."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = data_of(tmp_path, picture=noise)
    path = tmp_path / 'JPEGImages' / 'a.png'
    path.write_bytes(path.read_bytes()[:3000])
    loader = torch.utils.data.DataLoader(data, num_workers=1, collate_fn=pseudo_collate)
    with pytest.raises(UserError) as error:
        next(iter(loader))
    assert 'a.png: damaged image' in str(error.value).strip().splitlines()[-1]
