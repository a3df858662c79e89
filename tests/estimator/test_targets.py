"""The forms of targets that `PatchVotingClassifier.fit` takes, and what it refuses."""

import numpy as np
import pytest
from scipy import sparse

from tcnn_mm.estimator.targets import read_targets


@pytest.mark.parametrize('kind', [list, np.array])
@pytest.mark.parametrize('labels', [['b', 'a', 'b'], [7, 3, 7]])
def test_one_label_per_image(kind, labels):
    """Strings or integers, in a list or an array; classes are sorted and keep their type."""
    read = read_targets(kind(labels), 3)
    assert read.single and read.classes.tolist() == sorted(set(labels))
    assert read.labels == [[1], [0], [1]]
    assert read.matrix().tolist() == [[-1, 1], [1, -1], [-1, 1]]


def test_label_lists():
    """Any number per image, none too; without duplicates; `classes` gives the order."""
    read = read_targets([['a', 'b', 'a'], [], ('b',)], 3, ['b', 'c', 'a'])
    assert read.form == 'label lists' and not read.single
    assert read.classes.tolist() == ['b', 'c', 'a'] and read.labels == [[0, 2], [], [0]]


def test_indicator_matrix():
    """Columns are named by `classes`, else numbered."""
    matrix = np.array([[1, 0, 1], [0, 0, 0]])
    assert read_targets(matrix, 2).classes.tolist() == [0, 1, 2]
    read = read_targets(matrix, 2, ['x', 'y', 'z'])
    assert read.form == 'indicator matrix' and read.labels == [[0, 2], []]
    assert ((read.matrix() == 1) == matrix).all()


def test_a_sparse_matrix_is_one():
    """As scikit-learn's LabelBinarizer may give it."""
    matrix = np.array([[1, 0, 1], [0, 0, 0]])
    assert read_targets(sparse.csr_matrix(matrix), 2).labels == [[0, 2], []]


def test_boxes():
    """One label per box; an image without boxes is a negative of all classes."""
    first = dict(boxes=[[0, 0, 9, 9], [1, 2, 3, 4]], labels=['b', 'a'])
    read = read_targets([first, dict(boxes=[], labels=[])], 2)
    assert read.form == 'boxes' and read.labels == [[0, 1], []]
    assert read.box_labels == [[1, 0], []]
    assert [boxes.shape for boxes in read.boxes] == [(2, 4), (0, 4)]


@pytest.mark.parametrize(
    ('targets', 'classes', 'match'),
    [
        ('ab', None, 'found str'),
        (['a'], None, '2 images have 1 targets'),
        (['a', 'a'], None, 'one class only'),
        ([0.5, 1.5], None, 'strings or integers'),
        (['a', 1], None, 'strings or integers'),
        (['a', 'b'], ['a', 'c'], "target 1: label 'b' is none of"),
        (['a', 'b'], ['a', 'a'], 'different names'),
        ([[], []], None, 'no image has a label'),
        (np.array([[0, 2], [1, 0]]), None, '0 and 1 only'),
        (np.array([[0, 1], [1, 0]]), ['a'], '2 columns'),
        ([dict(boxes=[]), dict(boxes=[], labels=[])], None, "target 0: needs the keys 'boxes'"),
        ([dict(boxes=[[0, 0, 1, 1]], labels=[])] * 2, None, 'target 0: 1 boxes, 0 labels'),
        ([dict(boxes=[[5, 0, 1, 1]], labels=['a'])] * 2, None, 'x2 > x1'),
        ([dict(boxes=[[0, 0, np.nan, 1]], labels=['a'])] * 2, None, 'target 0: boxes are'),
        ([dict(boxes=[[0, 0, 9, 9]] * 3, labels='red')] * 2, None, "one per box; found 'red'"),
        ([dict(boxes=[[0, 0, 0.9, 0.5]], labels=['a'])] * 2, None, 'normalized to 0…1'),
        (['a', ['a']], None, 'found list, str together'),
        (['a', dict(boxes=[], labels=[])], None, 'found dict, str together'),
        (['a', 'b'], 'ab', "classes='ab': give a list"),
        (['a', 'b'], ['a'], "target 1: label 'b' is none of"),
        (np.array([['a'], ['b']]), None, r'one label per image is an array \(N,\)'),
    ],
)
def test_what_is_refused(targets, classes, match):
    """An error names the image and what was found."""
    with pytest.raises(ValueError, match=match):
        read_targets(targets, 2, classes)
