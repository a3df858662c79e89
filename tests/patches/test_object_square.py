"""The square around a person's box: its position, its label, its pixels."""

import numpy as np
import pytest
import torch

from tcnn_mm.errors import UserError
from tcnn_mm.patches import ObjectSquareSampler, RandomKey
from tcnn_mm.patches.crop import crop_patches
from tcnn_mm.patches.geometry import square_around

BOX = np.array([10, 20, 40, 80], np.float32)  # 30 × 60, centre (25, 50)


def choose(box=BOX, labels=(3,), training=True, **options):
    sampler = ObjectSquareSampler(**options)
    boxes = np.repeat(box[None], len(labels), 0)
    flags = dict(input_box=box)
    return sampler((100, 90), boxes, np.array(labels), flags, training=training, key=RandomKey())


@pytest.mark.parametrize(
    'options, expected',
    [
        ({}, [-5, 20, 55, 80]),
        (dict(side='min'), [10, 35, 40, 65]),
        (dict(side='max', margin=0.5), [-20, 5, 70, 95]),
        (dict(side='max', margin=-0.5), [10, 35, 40, 65]),
    ],
)
def test_squares_by_hand(options, expected):
    """Centred on the box, of its longer (or shorter) side, longer by the margin."""
    patches = choose(**options)
    assert patches.xyxy.tolist() == [expected] and patches.xyxy.dtype == np.float32


def test_area():
    """side='area' gives the box's area, whatever its shape."""
    x1, y1, x2, y2 = square_around(BOX, 'area')
    assert (x2 - x1) * (y2 - y1) == pytest.approx(30 * 60)
    assert (x1 + x2, y1 + y2) == (50, 100)


def test_one_square_in_training_and_at_test():
    """The same square in both; the label only in training, and none where there are several."""
    drawn, tested = choose(), choose(training=False)
    assert np.array_equal(drawn.xyxy, tested.xyxy)
    assert (drawn.label.tolist(), drawn.object_index.tolist()) == ([3], [0])
    assert (tested.label.tolist(), tested.object_index.tolist()) == ([-1], [-1])
    assert choose(labels=(1, 3)).label.tolist() == choose(labels=()).label.tolist() == [-1]


def test_annotations_are_not_read_at_test():
    """At test boxes and labels may be absent; only input_box is asked for."""
    sampler = ObjectSquareSampler()
    patches = sampler((100, 90), None, None, dict(input_box=BOX), training=False, key=RandomKey())
    assert np.array_equal(patches.xyxy, choose().xyxy)


def test_outside_the_image_is_its_mirror():
    """A square that leaves the image shows what an explicitly mirrored image shows there."""
    random = np.random.default_rng(0)
    image = torch.from_numpy(random.integers(0, 255, (3, 60, 50), dtype=np.uint8))
    square = choose(np.array([2, 5, 22, 55], np.float32)).xyxy  # x from -13 to 37
    height, width = image.shape[1:]
    # Twice mirrored around: the edge pixel repeats.
    wide = torch.cat([image.flip(2), image, image.flip(2)], 2)
    wide = torch.cat([wide.flip(1), wide, wide.flip(1)], 1)
    moved = square + np.array([width, height, width, height], np.float32)
    torch.testing.assert_close(crop_patches(image, square, 64), crop_patches(wide, moved, 64))


def test_what_cannot_be_is_refused():
    """Unknown sides, a margin without area, a sample without box: errors that name it."""
    with pytest.raises(ValueError, match="side='long'; choose from"):
        ObjectSquareSampler(side='long')
    with pytest.raises(ValueError, match='margin=-1'):
        ObjectSquareSampler(margin=-1)
    with pytest.raises(UserError, match='no input_box.*VOCAction'):
        ObjectSquareSampler()((9, 9), None, None, {}, training=False, key=RandomKey())
