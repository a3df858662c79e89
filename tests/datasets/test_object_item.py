"""The annotation keys of an item, and the table of a data set's classes."""

import numpy as np

from tcnn_mm.datasets.object_item import class_table, object_item

BOXES = [[0, 0, 9, 9], [1, 1, 5, 5], [2, 2, 6, 6]]


def test_labels_of_the_image_follow_from_its_objects():
    """Sorted classes with an ordinary and with a difficult object; a class may be in both."""
    item = object_item(BOXES, [2, 0, 2], [False, True, True], [True, False, False])
    assert (item['gt_label'], item['gt_label_difficult']) == ([2], [0, 2])
    assert item['gt_bboxes'].dtype == np.float32 and item['gt_bboxes_labels'].dtype == np.int64
    assert item['gt_bboxes_truncated'].tolist() == [True, False, False]


def test_an_image_without_objects_has_arrays_of_the_right_shape():
    """(0, 4) boxes, (0,) labels and flags, no class."""
    item = object_item()
    assert item['gt_bboxes'].shape == (0, 4) and item['gt_bboxes_labels'].shape == (0,)
    assert item['gt_bboxes_difficult'].dtype == item['gt_bboxes_truncated'].dtype == bool
    assert item['gt_label'] == item['gt_label_difficult'] == []


def test_flags_of_two_keys_are_two_arrays():
    """Writing into one flag leaves the other."""
    item = object_item(BOXES, [0, 0, 0])
    item['gt_bboxes_truncated'][0] = True
    assert not item['gt_bboxes_difficult'].any()


def test_the_table_counts_images_and_objects_per_class():
    """An image counts once per class; ordinary and difficult objects have their own columns."""
    items = [object_item(BOXES, [1, 1, 0], [False, False, True]), object_item(BOXES[:1], [1])]
    assert class_table(items, ('cat', 'bicycle')) == [
        'class    images  objects  difficult',
        'cat           0        0          1',
        'bicycle       2        3          0',
    ]
