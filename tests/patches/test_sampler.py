"""Which patches are drawn: fixed sets, keyed randomness, nothing of the annotations at test."""

import pickle

import numpy as np
import pytest

from tcnn_mm.patches import PatchGrid, PatchLabeler, PatchSampler, RandomKey, keyed_generator

SIZE = (120, 160)
BOXES = np.array([[10, 10, 70, 80], [100, 40, 150, 100]], np.float32)
LABELS = np.array([0, 2])
FLAGS = dict(difficult=np.zeros(2, bool))


def sampler(**options):
    grid = dict(type='tcnn_mm.PatchGrid', size=32)
    return PatchSampler(grid, dict(type='tcnn_mm.PatchLabeler', num_classes=3), **options)


FIRST = RandomKey(0, 0, 'a')


def draw(s, key=FIRST, training=True):
    return s(SIZE, BOXES, LABELS, FLAGS, training=training, key=key)


def test_test_time_is_the_whole_grid_without_annotations():
    """At test the grid comes whole, and annotations are not even looked at."""
    s = sampler()
    patches = s(SIZE, None, None, {}, training=False, key=RandomKey())
    assert np.array_equal(patches.xyxy, PatchGrid(size=32)(SIZE).xyxy)
    assert patches.boxes is patches.windows and len(patches.windows) == len(patches.xyxy)
    assert (patches.label == -1).all() and (patches.object_index == -1).all()


def test_all_positives_and_a_tenth_of_the_background():
    """Every positive is kept; background is thinned to about 10 %; deleted ones never come."""
    grid, labeler = PatchGrid(size=32), PatchLabeler(num_classes=3)
    full, _ = labeler(grid(SIZE).xyxy, BOXES, LABELS)
    kept = 0
    for i in range(40):
        drawn = draw(sampler(), RandomKey(0, 0, str(i)))
        assert (drawn.label >= 0).all()
        assert (drawn.label < 3).sum() == ((full >= 0) & (full < 3)).sum()
        kept += (drawn.label == 3).sum()
    share = kept / (40 * (full == 3).sum())
    assert 0.08 < share < 0.12


def test_labels_and_owners_belong_to_the_boxes():
    """Each drawn patch has the label of its object."""
    drawn = draw(sampler())
    named = drawn.object_index >= 0
    assert named.any()
    assert np.array_equal(drawn.label[named], LABELS[drawn.object_index[named]])
    assert (drawn.label[~named] == 3).all()
    grid = PatchGrid(size=32)(SIZE)
    rows = [np.flatnonzero((grid.xyxy == box).all(1))[0] for box in drawn.xyxy]
    assert np.array_equal(drawn.windows.xyxy, drawn.xyxy)
    assert np.array_equal(drawn.windows.shapes, grid.shapes[rows])
    assert np.array_equal(drawn.windows.offsets, grid.offsets[rows])


def test_the_background_is_drawn_once():
    """The fixed set is the same in every epoch, another for another image or seed."""
    s = sampler()
    assert np.array_equal(draw(s, RandomKey(0, 0, 'a')).xyxy, draw(s, RandomKey(0, 7, 'a')).xyxy)
    assert not np.array_equal(
        draw(s, RandomKey(0, 0, 'a')).xyxy, draw(s, RandomKey(0, 0, 'b')).xyxy
    )
    assert not np.array_equal(
        draw(s, RandomKey(0, 0, 'a')).xyxy, draw(s, RandomKey(1, 0, 'a')).xyxy
    )


def test_the_background_may_be_redrawn():
    """redraw_background: another tenth each epoch, the same one for the same epoch."""
    s = sampler(redraw_background=True)
    assert np.array_equal(draw(s, RandomKey(0, 3, 'a')).xyxy, draw(s, RandomKey(0, 3, 'a')).xyxy)
    assert not np.array_equal(
        draw(s, RandomKey(0, 3, 'a')).xyxy, draw(s, RandomKey(0, 4, 'a')).xyxy
    )


def test_a_number_per_image_goes_through_the_fixed_set():
    """num_patches: without replacement until the set is through, then in a new order."""
    whole = {tuple(box) for box in draw(sampler()).xyxy}
    s = sampler(num_patches=5)
    turns = len(whole) // 5
    first = [tuple(b) for e in range(turns) for b in draw(s, RandomKey(0, e, 'a')).xyxy]
    assert len(first) == len(set(first)) == 5 * turns and set(first) <= whole
    again = [
        tuple(b) for e in range(turns, 3 * turns + 3) for b in draw(s, RandomKey(0, e, 'a')).xyxy
    ]
    assert set(first) | set(again) == whole and again[: len(first)] != first


def test_a_large_number_takes_the_set_and_no_patch_twice():
    """num_patches above the set's size draws each patch once."""
    drawn = draw(sampler(num_patches=10000)).xyxy
    assert len(drawn) == len(draw(sampler()).xyxy) == len(np.unique(drawn, axis=0))


def test_class_balance():
    """Balanced draws: the labels of an image come about equally often."""
    s = sampler(num_patches=6, class_balanced=True)
    labels = np.concatenate([draw(s, RandomKey(0, e, 'a')).label for e in range(200)])
    counts = np.bincount(labels, minlength=4)[[0, 2, 3]]
    assert counts.min() > 0.6 * counts.max()


def test_an_image_with_no_sampled_patches():
    """No background kept and no objects: zero patches, of the right shapes."""
    s = sampler(background_share=0.0, num_patches=4)
    empty = s(SIZE, np.zeros((0, 4)), np.zeros(0, int), {}, training=True, key=RandomKey())
    assert empty.xyxy.shape == (0, 4) and empty.label.shape == (0,)


def test_keys_are_pure_functions():
    """Same key, same numbers; the parts cannot run into each other."""
    assert keyed_generator(1, 2, 'a').random() == keyed_generator(1, 2, 'a').random()
    assert keyed_generator(1, 23).random() != keyed_generator(12, 3).random()


def test_the_grid_pickles_and_is_shared_read_only():
    """Workers get a grid by pickle; nobody can change the cached arrays."""
    grid = pickle.loads(pickle.dumps(PatchGrid(size=64)))
    windows = grid(SIZE)
    assert grid(SIZE) is windows
    for array in (windows.xyxy, windows.shapes, windows.offsets):
        with pytest.raises(ValueError):
            array[0] = 0


@pytest.mark.parametrize(
    'build',
    [
        lambda: PatchGrid(scales=(0.5,)),
        lambda: PatchGrid(overlap=1.0),
        lambda: PatchGrid(stride=0),
        lambda: PatchLabeler(same_class='both'),
        lambda: PatchLabeler(difficult='yes'),
        lambda: sampler(background_share=2),
        lambda: sampler(class_balanced=True),
    ],
)
def test_bad_settings_are_refused(build):
    """A setting that cannot mean anything is an error at once."""
    with pytest.raises(ValueError):
        build()
