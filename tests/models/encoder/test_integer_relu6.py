"""ReLU6 on the bits of bfloat16: equal to torch's for every number, used where it may be."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from tcnn_mm.models.encoder.frozen import FrozenCopy
from tcnn_mm.models.encoder.integer_relu6 import IntegerReLU6, replace_relu6

EVERY = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)


class Net(nn.Module):
    """A convolution and the ReLU6 after it, between which a tensor may be kept."""

    def __init__(self, inplace=False):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU6(inplace), nn.Conv2d(4, 2, 1))
        self.eval().requires_grad_(False)

    def forward(self, x):
        return (self.body(x),)


@pytest.mark.parametrize('inplace', [False, True])
def test_every_number_of_bfloat16(inplace):
    """All 65,536 bit patterns but NaN; the input is changed only in place."""
    given = EVERY[~EVERY.isnan()]
    x = given.clone()
    y = IntegerReLU6(inplace)(x)
    assert torch.equal(y, F.relu6(given)) and y.dtype == torch.bfloat16
    assert (y.data_ptr() == x.data_ptr()) == inplace
    assert torch.equal(x, y if inplace else given)


def test_other_types_are_torchs():
    """float32, float16 and their NaN pass through torch's function."""
    for dtype in (torch.float32, torch.float16):
        x = torch.tensor([-1.0, 3.0, 9.0, float('nan')], dtype=dtype)
        torch.testing.assert_close(IntegerReLU6()(x), F.relu6(x), equal_nan=True, rtol=0, atol=0)


def test_layouts_of_memory_are_kept():
    """Channels last in, channels last out."""
    x = torch.randn(2, 8, 5, 5).bfloat16().contiguous(memory_format=torch.channels_last)
    y = IntegerReLU6()(x)
    assert torch.equal(y, F.relu6(x)) and y.is_contiguous(memory_format=torch.channels_last)


def test_only_the_named_parts_are_replaced():
    """A module outside of them keeps torch's, one that is used in two places gets one."""
    shared = nn.ReLU6()
    net = nn.ModuleDict(dict(a=nn.Sequential(shared, shared), b=nn.ReLU6()))
    assert replace_relu6(net, [net['a']]) == 1
    assert net['a'][0] is net['a'][1] and type(net['a'][0]) is IntegerReLU6
    assert type(net['b']) is nn.ReLU6


def test_the_bfloat16_copy_uses_it(half_native):
    """Bit-equal to the copy with torch's; in float32 nothing is replaced."""
    net = Net(inplace=True)
    x = torch.randn(2, 3, 16, 16)
    frozen = FrozenCopy(net, ['backbone'], torch.bfloat16, size=16)
    assert type(frozen.current().body[1]) is IntegerReLU6
    plain = Net(inplace=True).to(torch.bfloat16)
    assert torch.equal(frozen(x, ['backbone']), plain(x.bfloat16())[-1])
    assert type(net.body[1]) is nn.ReLU6


def test_nan_is_not_hidden(half_native):
    """Weights with NaN: torch's ReLU6 stays, so that the features still show it."""
    net = Net()
    net.body[0].weight[0, 0, 0, 0] = float('nan')
    frozen = FrozenCopy(net, ['backbone'], torch.bfloat16, size=16)
    assert type(frozen.current().body[1]) is nn.ReLU6
    assert frozen(torch.randn(1, 3, 16, 16), ['backbone']).isnan().any()


def test_a_network_of_torchvision(half_native):
    """MobileNetV2 has 35 of them."""
    net = torchvision.models.mobilenet_v2().features
    assert replace_relu6(net, [net]) == 35
