"""Pixels of patches against Pillow, and the two methods against each other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.patches import crop
from tcnn_mm.patches.crop import (
    crop_patches,
    iter_patches,
    mirror,
    resample,
    resample_weights,
    resize,
)
from tcnn_mm.patches.geometry import grid_windows


def draw(height, width, seed=0):
    """Smooth structure, sharp edges and noise: every frequency is in it."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = 127 + 60 * np.sin(x / 7.0) + 60 * np.cos(y / 11.0)
    image = np.stack(
        [waves, waves.T[:height, :width] if height == width else 255 - waves, x % 256], -1
    )
    image[height // 3 : height // 2, width // 4 : width // 2] = (250, 10, 120)
    image += random.normal(0, 12, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def tensor(image):
    return torch.from_numpy(image.copy()).permute(2, 0, 1)


def pillow(image, box, size):
    return np.asarray(
        Image.fromarray(image).resize((size, size), Image.BILINEAR, box=tuple(map(float, box)))
    ).astype(np.float64)


def differences(image, boxes, size):
    xyxy = getattr(boxes, 'xyxy', boxes)
    got = crop_patches(tensor(image), boxes, size).permute(0, 2, 3, 1).double().numpy()
    return np.array(
        [np.abs(g - pillow(image, b, size)).mean() for g, b in zip(got, xyxy, strict=True)]
    )


@pytest.mark.parametrize('shape', [(120, 160), (160, 107), (30, 30)])
@pytest.mark.parametrize('size', [64, 224])
def test_grid_patches_equal_pillow(shape, size):
    """Oracle: PIL.Image.resize with a float box; mean < 1 grey level, each patch < 2.5."""
    error = differences(draw(*shape), grid_windows(*shape, size=size)[::7], size)
    assert error.mean() < 1 and error.max() < 2.5


def test_any_box_equals_pillow():
    """Boxes off every grid, small and large, upright and flat."""
    random = np.random.default_rng(3)
    xy = random.uniform(0, 80, (40, 2))
    boxes = np.concatenate([xy, xy + random.uniform(3, 70, (40, 2))], 1)
    error = differences(draw(160, 160), boxes, 64)
    assert error.mean() < 1 and error.max() < 2.5


def test_a_large_photo_equals_pillow():
    """6000×4000: shrinking by 18 antialiases as Pillow does."""
    image = np.asarray(Image.fromarray(draw(400, 600)).resize((6000, 4000), Image.BICUBIC))
    windows = grid_windows(4000, 6000)
    error = differences(image, windows[[0, 3, 40, 200, len(windows) - 1]], 224)
    assert error.mean() < 1 and error.max() < 2.5


@pytest.mark.parametrize(
    'box', [(-20, -10, 60, 70), (100, 50, 240, 190), (-300, -300, 400, 400), (150, 5, 162, 17)]
)
def test_outside_is_mirrored(box):
    """Parts outside are the mirrored image, folded as often as needed (np.pad symmetric)."""
    image = draw(120, 160)
    pad = 500
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode='symmetric')
    expected = pillow(padded, np.array(box) + pad, 64)
    got = crop_patches(tensor(image), [box], 64)[0].permute(1, 2, 0).numpy()
    assert np.abs(got - expected).mean() < 1


def test_mirror_folds():
    """Positions reflect at 0 and at the length, twice where needed."""
    np.testing.assert_allclose(mirror(np.array([-1.0, 4, 11, 25, -12]), 10), [1, 4, 9, 5, 8])


def test_weights_sum_to_one():
    """Every sample is a mean of pixels, also at the border and far outside."""
    for start, stop in [(0, 10), (-30, 50), (3.2, 4.1), (0, 100)]:
        weights, low = resample_weights(start, stop, 16, 40)
        np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
        assert low >= 0 and low + weights.shape[1] <= 40


@pytest.mark.parametrize('limit', ['_RESIZE_PAYS', 'MAX_RESIZED_PIXELS'])
def test_both_methods_give_the_same_pixels(limit, monkeypatch):
    """Slices of a resized image equal the matrices' patches to 0.05 grey levels.

    Boxes, and windows of a resized image that costs too much, are cut by matrices.
    """
    image = tensor(draw(120, 160))
    windows = grid_windows(120, 160, size=64)
    slices = crop_patches(image, windows, 64)
    assert (slices - crop_patches(image, windows.xyxy, 64)).abs().max() < 0.05
    monkeypatch.setattr(crop, limit, 0)
    matrices = crop_patches(image, windows, 64)
    assert torch.equal(matrices, crop_patches(image, windows.xyxy, 64))
    assert (slices - matrices).abs().max() < 0.05


def test_the_grid_takes_slices(monkeypatch):
    """A whole grid is cut by slices, also of a panorama: no window falls to the matrices."""

    def refuse(*args):
        raise AssertionError('cropped by matrices')

    monkeypatch.setattr(crop, 'resample', refuse)
    for shape in ((120, 160), (30, 900)):
        crop_patches(tensor(draw(*shape)), grid_windows(*shape, [1, 4], size=64), 64)


def test_windows_of_another_side_are_cut_as_boxes():
    """A grid of 64-pixel patches, cut into 32 pixels."""
    image, windows = tensor(draw(60, 80)), grid_windows(60, 80, [1.5], size=64)
    assert torch.equal(crop_patches(image, windows, 32), crop_patches(image, windows.xyxy, 32))


def test_a_part_equals_the_part_of_the_resized_image():
    """`resample` makes a part of the resized image, to 0.05 grey levels, enlarged or reduced."""
    image = tensor(draw(120, 160)).float()
    for shape in ((300, 400), (60, 80)):
        y, x, rows, columns = 8, 16, 40, 56
        tall, wide = 120 / shape[0], 160 / shape[1]
        box = x * wide, y * tall, (x + columns) * wide, (y + rows) * tall
        expected = resize(image, shape)[:, y : y + rows, x : x + columns]
        assert (resample(image, box, (rows, columns)) - expected).abs().max() < 0.05


@pytest.mark.parametrize('off_grid', [False, True])
@pytest.mark.parametrize('chunk', [1, 7, 64, 1000])
def test_chunks_do_not_change_pixels(chunk, off_grid):
    """Chunked = whole, bit for bit, and no chunk is larger than asked."""
    image, boxes = tensor(draw(60, 80)), grid_windows(60, 80, size=32)
    if off_grid:
        boxes = np.concatenate([boxes.xyxy[::9], [[-5.3, 2, 40, 47]]])
    whole = crop_patches(image, boxes, 32, chunk_size=len(boxes))
    seen = []
    for index, patches in iter_patches(image, boxes, 32, chunk):
        assert len(index) <= chunk
        assert torch.equal(patches, whole[torch.from_numpy(index)])
        seen += index.tolist()
    assert sorted(seen) == list(range(len(boxes)))


def test_cropping_is_linear():
    """A normalised image gives normalised patches, so normalising once is enough."""
    image, boxes = tensor(draw(60, 80)).float(), grid_windows(60, 80, size=32)
    direct = (crop_patches(image, boxes, 32) - 100) / 50
    before = crop_patches((image - 100) / 50, boxes, 32)
    assert (direct - before).abs().max() < 1e-4


def test_input_is_not_changed_and_dtype_is_kept():
    """The image stays as it was; patches come in the asked dtype, channels last."""
    image = tensor(draw(60, 80))
    copy = image.clone()
    _, patches = next(iter_patches(image, grid_windows(60, 80, size=32), 32, dtype=torch.bfloat16))
    assert torch.equal(image, copy) and patches.dtype == torch.bfloat16
    assert patches.is_contiguous(memory_format=torch.channels_last)


def test_no_boxes_no_chunks():
    """An image without sampled patches gives no chunk and no error."""
    assert list(iter_patches(tensor(draw(30, 30)), np.zeros((0, 4)), 32)) == []
    assert crop_patches(tensor(draw(30, 30)), np.zeros((0, 4)), 32).shape == (0, 3, 32, 32)


def test_an_empty_box_is_refused():
    """x2 ≤ x1 is an error that shows the box."""
    with pytest.raises(ValueError, match=r'x2 > x1.*5\.0'):
        crop_patches(tensor(draw(30, 30)), [[5, 5, 5, 9]], 32)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.tuples(st.floats(-60, 60), st.floats(-60, 60), st.floats(2, 90), st.floats(2, 90)),
    st.floats(0, 255),
)
def test_a_constant_image_gives_constant_patches(box, grey):
    """For any box, also beyond the image: a patch is a mean of pixels, so nothing is added."""
    x, y, wide, tall = box
    image = torch.full((1, 30, 40), grey)
    patches = crop_patches(image, [[x, y, x + wide, y + tall]], 16)
    assert (patches - grey).abs().max() < 1e-3


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.tuples(st.floats(-20, 30), st.floats(-20, 20), st.floats(2, 60), st.floats(2, 60)))
def test_cropping_a_mirrored_image_mirrors_the_patch(box):
    """The mirrored box of the mirrored image is the mirrored patch, for any box."""
    x, y, wide, tall = box
    image = tensor(draw(30, 40)).float()
    patch = crop_patches(image, [[x, y, x + wide, y + tall]], 16)
    mirrored = crop_patches(image.flip(2), [[40 - x - wide, y, 40 - x, y + tall]], 16)
    assert (patch - mirrored.flip(3)).abs().max() < 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA GPU')
def test_cuda_equals_cpu():
    """The device does not change a pixel by more than 0.01."""
    image = tensor(draw(120, 160))
    for boxes in (grid_windows(120, 160, size=64), [[-5.3, 2, 40, 47]]):
        difference = crop_patches(image.cuda(), boxes, 64).cpu() - crop_patches(image, boxes, 64)
        assert difference.abs().max() < 0.01
