"""Weights under foreign names: renamed in order, never where a shape differs."""

import pytest
import torch

from tcnn_mm.checkpoints.in_order import rename_in_order
from tcnn_mm.errors import UserError

OWN = dict(stem=torch.zeros(4, 3, 3, 3), bias=torch.zeros(4))
FILE = dict(a=torch.ones(4, 3, 3, 3), b=torch.ones(4))
CLASSIFIER = dict(w=torch.ones(10, 4), c=torch.ones(10))


def test_tensors_get_the_names_of_the_network():
    """The first tensor gets the first name; a classifier at the end of the file is dropped."""
    for file in (FILE, {**FILE, **CLASSIFIER}):
        renamed = rename_in_order(file, OWN, 'f.pth')
        assert list(renamed) == ['stem', 'bias']
        assert renamed['stem'] is FILE['a'] and renamed['bias'] is FILE['b']


@pytest.mark.parametrize(
    'file, found',
    [
        (dict(a=FILE['b'], b=FILE['a']), r'file a \(4,\), network stem \(4, 3, 3, 3\)'),
        (dict(a=FILE['a']), r'file None None, network bias \(4,\)'),
        ({**FILE, 'c': FILE['b']}, r'file c \(4,\), network None None'),
    ],
)
def test_another_network_is_refused(file, found):
    """Another order or another number of tensors: the error names the first pair that differs."""
    with pytest.raises(UserError, match=f'f.pth: .*{found}'):
        rename_in_order(file, OWN, 'f.pth')
