"""Images that `PatchVotingClassifier` takes, and what is none."""

import numpy as np
import pytest

from tcnn_mm.estimator.fit_images import FitOptions
from tcnn_mm.estimator.image_files import check_images


@pytest.mark.parametrize('shape', [(48, 64, 3), (48, 64, 4), (48, 64, 1), (48, 64)])
def test_one_array_is_not_many_images(shape):
    """An image that is not in a list would be as many images as it has rows."""
    image = np.zeros(shape, np.uint8)
    with pytest.raises(TypeError, match=r'is one image; give a list, \[image\]'):
        check_images(image)
    assert len(check_images([image])) == 1


@pytest.mark.parametrize('shape', [(5, 48, 64, 3), (5, 48, 64)])
def test_an_array_of_images(shape):
    """N colour or grey images of one size, and a list of few columns by `list`."""
    assert len(check_images(np.zeros(shape, np.uint8))) == 5
    assert len(check_images(list(np.zeros((5, 48, 3), np.uint8)))) == 5


def test_no_scales_are_no_default():
    """An empty list is a mistake, not the default."""
    with pytest.raises(ValueError, match='None for those that fit'):
        FitOptions('minivoc', scales=[])
    assert FitOptions('minivoc').scales is None


@pytest.mark.parametrize('scale', [0, -1, 0.5, float('nan'), float('inf'), 1e9])
def test_scales_give_patches(scale):
    """A scale that gives no patch is told by its value, not by the config that cannot be read."""
    with pytest.raises(ValueError, match='is not from 1 to 100'):
        FitOptions('minivoc', scales=[1, scale])
    assert FitOptions('minivoc', scales=np.array([1, 2.5])).scales is not None
