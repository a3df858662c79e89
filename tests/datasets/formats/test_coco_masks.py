"""Boxes of segmentations: polygons, run lengths, what is neither."""

import numpy as np
import pytest

from tcnn_mm.datasets.formats.coco_masks import segmentation_box


def test_a_polygon_and_several():
    """The smallest box around all points; one polygon may be given without its list."""
    assert segmentation_box([[1, 2, 3, 4, 0, 9]]) == (0, 2, 3, 9)
    assert segmentation_box([1, 2, 3, 4, 0, 9]) == (0, 2, 3, 9)
    assert segmentation_box([[1, 2, 3, 4, 0, '9.5'], [7, 7, 8, 8, 7, 8]]) == (0, 2, 8, 9.5)


@pytest.mark.parametrize(
    'segmentation',
    [
        None, [], [[]], 'x', 5, [[1, 2, 3]], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, None]], {}, [[1], 2],
        {'size': [3, 3], 'counts': [9]}, {'size': [3, 3], 'counts': [1, 2]},
        {'size': [3, 3], 'counts': [-1, 10]}, {'size': [3], 'counts': [9]},
        {'size': [3, 3], 'counts': 'é'}, {'size': [1e300, 1e300], 'counts': [1]},
    ],
)  # fmt: skip
def test_what_has_no_box(segmentation):
    """Empty, damaged or of another form: None, no error."""
    assert segmentation_box(segmentation) is None


@pytest.mark.parametrize('seed', range(20))
def test_run_lengths_equal_the_mask(seed):
    """The box is that of the mask's pixels, also from COCO's compressed text."""
    random = np.random.default_rng(seed)
    mask = np.zeros(random.integers(3, 90, 2), np.uint8)
    top, left = (random.integers(0, side) for side in mask.shape)
    mask[top : top + random.integers(1, 60), left : left + random.integers(1, 60)] = 1
    mask &= random.random(mask.shape) < random.choice([0.1, 0.5, 1])
    rows, columns = np.nonzero(mask)
    expected = None
    if len(rows):
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    counts = np.diff([0, *edges, len(flat)]).tolist()
    assert segmentation_box(dict(size=list(mask.shape), counts=counts)) == expected
    tools = pytest.importorskip('pycocotools.mask')
    packed = tools.encode(np.asfortranarray(mask))
    text = dict(size=list(mask.shape), counts=packed['counts'].decode())
    assert segmentation_box(text) == expected
