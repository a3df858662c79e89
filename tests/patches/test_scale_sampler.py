"""Every window at one random scale, or at several; nothing of the annotations."""

import numpy as np
import pytest

from tcnn_mm.patches import RandomKey, ScaleSampler
from tcnn_mm.patches.geometry import grid_boxes

GRID = dict(type='PatchGrid', stride=32, size=224)


def test_the_tests_windows_are_those_of_each_scale():
    """λ = factor · base, the windows of all in order; `counts` is the number at each scale."""
    sampler = ScaleSampler(GRID, base=1.5, factors=(1, 2, 3))
    patches = sampler((300, 400), training=False)
    each = [grid_boxes(300, 400, (scale,), size=224, stride=32) for scale in (1.5, 3.0, 4.5)]
    assert np.array_equal(patches.xyxy, np.concatenate(each))
    assert sampler.counts((300, 400)) == [len(boxes) for boxes in each]
    assert (patches.label == -1).all() and (patches.object_index == -1).all()


def test_an_image_smaller_than_a_patch_is_one_scale():
    """Factors below 1 / base all become λ = 1, which counts once."""
    sampler = ScaleSampler(GRID, base=1.25, factors=(0.2, 0.5, 0.8, 1.0))
    assert sampler.grid.scales == (1.0, 1.25)
    assert len(sampler.counts((100, 150))) == 2


def test_the_authors_scales_on_a_voc_image():
    """Factor 1 is a VOC image as it is stored: 224-px windows of 375×500 pixels; six factors."""
    sampler = ScaleSampler(GRID)
    window = sampler.grid.windows_at((375, 500), sampler.scale(1.0)).xyxy[0]
    assert np.allclose(window, (0, 0, 224, 224), atol=0.5)
    assert np.allclose(np.array(sampler.grid.scales) * 224 / 375, (224 / 375, 0.7, 1, 1.4, 2, 2.8))


def test_trainings_scale_is_a_function_of_its_key():
    """s ~ U(0.7, 1.4) of (seed, epoch, images); every image of a batch gets the same s."""
    sampler = ScaleSampler(GRID)
    drawn = [sampler.factor(RandomKey(0, epoch, 'a')) for epoch in range(400)]
    assert drawn == [ScaleSampler(GRID).factor(RandomKey(0, epoch, 'a')) for epoch in range(400)]
    assert 0.7 <= min(drawn) < 0.72 and 1.38 < max(drawn) < 1.4
    assert np.mean(drawn) == pytest.approx(1.05, abs=0.04)
    one = sampler((375, 500), training=True, key=RandomKey(0, 3, 'a')).xyxy[0]
    other = sampler((500, 375), training=True, key=RandomKey(0, 3, 'a')).xyxy[0]
    assert np.allclose(one, other, atol=0.5)
    assert one[2] == pytest.approx(224 / sampler.factor(RandomKey(0, 3, 'a')), rel=0.01)


def test_annotations_are_not_read():
    """With any object in their place, the windows are the same, in training and test."""
    sampler = ScaleSampler(GRID)
    for training in (True, False):
        one = sampler((300, 400), training=training, key=RandomKey())
        other = sampler(
            (300, 400), object(), object(), object(), training=training, key=RandomKey()
        )
        assert np.array_equal(one.xyxy, other.xyxy)


@pytest.mark.parametrize(
    'wrong',
    [dict(base=0), dict(jitter=(1.4, 0.7)), dict(factors=()), dict(grid=dict(scales=(1.0,)))],
)
def test_bad_settings(wrong):
    """No scale, a range upside down, scales twice: refused with the values."""
    with pytest.raises(ValueError, match='ScaleSampler'):
        ScaleSampler(**wrong)
