"""Per-class labels of an image as in VOC's class files."""

import numpy as np
import pytest

from tcnn_mm.datasets.image_labels import image_labels


def test_ordinary_before_difficult_before_absent():
    """1 with an ordinary object, also beside a difficult one; 0 with difficult ones alone; -1."""
    labels = image_labels([0, 2], [2, 3], 5)
    assert labels.tolist() == [1, -1, 1, 0, -1] and labels.dtype == np.int64


@pytest.mark.parametrize('label', [-1, 3])
def test_a_label_that_is_no_class_is_an_error(label):
    """Also a negative one, which would count from the end."""
    with pytest.raises(ValueError, match=f'label {label} is outside 0…2'):
        image_labels([label], [], 3)
