"""Missing parts are drawn the same way each time; given ones stay."""

import pytest

from tcnn_mm.datasets.stratified_split import split_parts


def test_parts_that_are_there_stay():
    """Each named part keeps its images; without any for training there is an error."""
    parts = ['train'] * 4 + ['val'] * 2 + ['test'] * 2
    chosen = split_parts(parts, [[0]] * 8)
    assert chosen == dict(train=[0, 1, 2, 3], val=[4, 5], test=[6, 7])
    with pytest.raises(ValueError, match='nothing to train on: parts test, val'):
        split_parts(['val', 'test'], [[0]] * 2)


def test_missing_parts_are_stratified_disjoint_and_reproducible():
    """100 images, one class in every tenth: 60/20/20, each part has its share of it."""
    labels = [[0] if i % 10 else [0, 1] for i in range(100)]
    first = split_parts(['all'] * 100, labels, seed=3)
    assert first == split_parts(['all'] * 100, labels, seed=3)
    assert first != split_parts(['all'] * 100, labels, seed=4)
    assert {role: len(mine) for role, mine in first.items()} == dict(train=60, val=20, test=20)
    assert sorted(sum(first.values(), [])) == list(range(100))
    rare = {role: sum(i % 10 == 0 for i in mine) for role, mine in first.items()}
    assert 5 <= rare['train'] <= 7 and min(rare['val'], rare['test']) >= 1


@pytest.mark.parametrize('named', ['trainval', 'train', 'all'])
def test_val_is_drawn_beside_a_given_test(named):
    """Images for training, under any name, are what val is drawn from."""
    chosen = split_parts([named] * 5 + ['test'] * 3, [[0]] * 8)
    assert chosen['test'] == [5, 6, 7]
    assert [len(chosen[role]) for role in ('train', 'val')] == [4, 1]


def test_images_without_a_part_are_trained_on():
    """Beside named parts, images that no part names are for training."""
    chosen = split_parts(['train', 'all', 'val', 'test'], [[0]] * 4)
    assert chosen == dict(train=[0, 1], val=[2], test=[3])
