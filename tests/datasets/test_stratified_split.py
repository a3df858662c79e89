"""Missing parts are drawn the same way each time; given ones stay."""

import pytest

from tcnn_mm.datasets.stratified_split import split_roles

IDS = [f'image_{i}' for i in range(8)]


def test_parts_that_are_there_stay():
    known = dict(train=IDS[:4], val=IDS[4:6], test=IDS[6:])
    labels = {role: [[0]] * len(ids) for role, ids in known.items()}
    assert split_roles(known, labels) == {role: (role, ids) for role, ids in known.items()}
    with pytest.raises(ValueError, match='image_3 is for training and for val or test'):
        split_roles(dict(train=IDS[:4], test=IDS[3:]), labels)


def test_missing_parts_are_stratified_disjoint_and_reproducible():
    """100 images, one class in every tenth: 60/20/20, each part has its share of it."""
    ids, labels = [str(i) for i in range(100)], [[0] if i % 10 else [0, 1] for i in range(100)]
    first = split_roles(dict(all=ids), dict(all=labels), seed=3)
    assert first == split_roles(dict(all=ids), dict(all=labels), seed=3)
    assert first != split_roles(dict(all=ids), dict(all=labels), seed=4)
    parts = {role: mine for role, (_, mine) in first.items()}
    assert {role: len(mine) for role, mine in parts.items()} == dict(train=60, val=20, test=20)
    assert sorted(sum(parts.values(), []), key=int) == ids
    rare = {role: sum(int(i) % 10 == 0 for i in mine) for role, mine in parts.items()}
    assert 5 <= rare['train'] <= 7 and min(rare['val'], rare['test']) >= 1


def test_val_is_drawn_beside_a_given_test():
    parts = split_roles(dict(trainval=IDS[:5], test=IDS[5:]), dict(trainval=[[0]] * 5, test=[]))
    assert parts['test'] == ('test', IDS[5:])
    assert [len(parts[role][1]) for role in ('train', 'val')] == [4, 1]
