"""What makes a checkpoint unfit for a model or a data set, and how it is said."""

import pytest
import torch
from torch import nn

from tcnn_mm.checkpoints.strict import (
    check_classes,
    check_state,
    is_source_network,
    record_differences,
)
from tcnn_mm.errors import UserError


@pytest.fixture
def model():
    """Two layers, named as those of a classifier."""
    return nn.ModuleDict(dict(backbone=nn.BatchNorm1d(2), head=nn.Linear(2, 3)))


def content(model, **changes):
    """A checkpoint of the model; None removes a tensor."""
    state = {**model.state_dict(), **changes}
    return dict(state_dict={key: value for key, value in state.items() if value is not None})


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'head.bias': None}, r'missing: head.bias\)'),
        ({'neck.a': torch.zeros(1)}, r'unexpected: neck.a\)'),
        ({'head.bias': torch.zeros(4)}, r'other shapes: head.bias \(4,\), the model has \(3,\)'),
        ({'head.bias': torch.tensor([0, float('nan'), 0])}, 'NaN or infinity: head.bias'),
    ],
)
def test_tensors_are_exactly_those_of_the_model(model, changes, message):
    """Each kind of difference names the tensors and the file."""
    with pytest.raises(UserError, match='a.pth: .*' + message):
        check_state(content(model, **changes), model, 'a.pth')


def test_new_layers_of_a_transfer_may_differ(model):
    """They are returned; a difference elsewhere is an error all the same."""
    file = content(model, **{'head.bias': torch.zeros(4), 'head.weight': None})
    assert check_state(file, model, 'a.pth', ('head.',)) == ['head.weight', 'head.bias']
    file = content(model, **{'backbone.bias': None})
    with pytest.raises(UserError, match='missing: backbone.bias'):
        check_state(file, model, 'a.pth', ('head.',))
    # BatchNorm's counter is no weight.
    assert check_state(content(model, **{'backbone.num_batches_tracked': None}), model, 'a') == []


@pytest.mark.parametrize(
    'classes, message',
    [
        (['b', 'a', 'c'], "the same classes in another order; class 0: 'a', 'b'"),
        (['a', 'b', 'd'], 'in the checkpoint alone: c, in the data alone: d'),
        (['a', 'b'], 'in the checkpoint alone: c;'),
    ],
)
def test_classes_are_compared_in_order(classes, message):
    """Reordered classes are as wrong as others; what has no names cannot be compared."""
    file = dict(meta=dict(dataset_meta=dict(classes=('a', 'b', 'c'))))
    with pytest.raises(UserError, match=message):
        check_classes(file, classes, 'x.pth', 'the data')
    check_classes(file, ('a', 'b', 'c'), 'x.pth', 'the data')
    check_classes(file, (), 'x.pth', 'the data')
    check_classes({}, classes, 'x.pth', 'the data')


def test_a_record_of_an_older_version_is_compared_where_it_says_something():
    """Entries that it lacks are equal."""
    own = dict(grid=dict(scales=[1]), feature_mode='crop')
    assert record_differences(dict(feature_mode='crop'), own) == {}
    assert list(record_differences(dict(feature_mode='dense'), own)) == ['feature_mode']


def test_a_source_network_is_told_from_a_patch_model():
    """By its record, else by its head."""
    assert is_source_network(dict(state_dict={'head.fc.weight': 0}))
    assert not is_source_network(dict(state_dict={'head.FCa.weight': 0}))
    record = dict(tcnn_mm=dict(sampler=dict(type='PatchSampler')))
    assert not is_source_network(dict(meta=record, state_dict={'head.fc.weight': 0}))
