"""Shapes, channels and the normalisation's constant: the same net before and after."""

import pytest
import torch

from tcnn_mm.models import TransferAlexNet
from tests.support.caffe_file import caffe_forward, caffe_weights
from tests.support.tool_module import load_tool

TOOL = load_tool('caffe_weights')
fit_shape, turn_channels = TOOL.fit_shape, TOOL.turn_channels
fold_normalisation = TOOL.fold_normalisation


def test_shapes_that_only_look_different():
    """Padded dims go, convolutions become rows, in the order channel, row, column."""
    assert fit_shape(torch.zeros(1, 1, 1, 7), (7,)).shape == (7,)
    assert fit_shape(torch.zeros(1, 1, 5, 7), (5, 7)).shape == (5, 7)
    kernel = torch.randn(5, 4, 3, 3)
    x = torch.randn(1, 4, 3, 3)
    assert torch.allclose(
        torch.nn.functional.conv2d(x, kernel).flatten(),
        (fit_shape(kernel, (5, 36)) @ x.flatten()),
        atol=1e-5,
    )


def test_real_differences_stay():
    """Another shape is handed back for the caller's error; a transposed matrix is not turned."""
    for value, shape in (((5, 7), (7, 5)), ((5, 7), (5, 8)), ((5, 7, 1, 1), (5, 8))):
        assert fit_shape(torch.zeros(value), shape).shape == value


def converted(weights, k):
    net = TransferAlexNet('krizhevsky', fc_channels=32).eval()
    tensors = {key: torch.from_numpy(v) for key, v in weights.items() if 'fc8' not in key}
    net.load_state_dict(fold_normalisation(net.convert_state_dict(tensors), k))
    return net


@pytest.mark.parametrize('k', [1.0, 2.0])
def test_the_grouped_net_of_the_file_gives_the_same(k):
    """Oracle: grouped convolutions, the file's own normalisation, Caffe's flattening; 1e-5 of the
    largest output, for pixels from 0 to 255."""
    weights = caffe_weights()
    weights['conv1.weight'] /= 30
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 255 - 128
    expected = caffe_forward(weights, x, k)
    with torch.no_grad():
        got = converted(weights, k)(x)[0]
    assert (got - expected).abs().max() < 1e-5 * expected.abs().max()
    if k == 1.0:  # the constant matters: without folding the outputs are others
        wrong = converted(weights, 2.0)(x)[0].detach()
        assert (wrong - expected).abs().max() > 0.01 * expected.abs().max()


def test_turned_channels_take_turned_pixels():
    """BGR weights on BGR pixels equal turned weights on RGB pixels."""
    layer = torch.nn.Conv2d(3, 4, 3)
    x = torch.randn(1, 3, 8, 8)
    expected = layer(x)
    layer.weight.data = turn_channels(layer.weight.data)
    assert torch.allclose(layer(x.flip(1)), expected, atol=1e-6)
