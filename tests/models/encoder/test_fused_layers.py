"""Fused layers of bfloat16: each gives what the layers that it replaces give, where it may be."""

import copy
import pickle

import pytest
import torch
import torchvision
from torch import nn

from tcnn_mm.models.encoder import frozen
from tcnn_mm.models.encoder.frozen import FrozenCopy
from tcnn_mm.models.encoder.fused_layers import (
    FusedConv2d,
    PackedLinear,
    PointConv2d,
    can_fuse,
    fuse_layers,
)

pytestmark = pytest.mark.skipif(not can_fuse(), reason='oneDNN has no bfloat16 here')
HALF = torch.bfloat16


class Net(nn.Module):
    """A sequence of layers; `x` is what they take."""

    def __init__(self, *layers):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(*layers)
        self.eval().requires_grad_(False)

    def forward(self, x):
        return (self.body(x),)


def fused(net, x):
    """The network with fused layers, and how many there are."""
    net = copy.deepcopy(net)
    count = fuse_layers(net, [net], lambda: net(x))
    return net, count


@pytest.mark.parametrize('activation', [nn.ReLU, nn.ReLU6])
@pytest.mark.parametrize('inplace', [False, True])
@pytest.mark.parametrize(
    'options',
    [
        dict(kernel_size=3, padding=1),
        dict(kernel_size=3, stride=2),
        dict(kernel_size=5, padding=2, groups=8),
        dict(kernel_size=3, padding=2, dilation=2, bias=False),
        dict(kernel_size=1),
        dict(kernel_size=1, bias=False),
        dict(kernel_size=1, stride=2),
    ],
    ids=str,
)
def test_a_convolution_and_its_activation(options, activation, inplace):
    """To the last bit of bfloat16 or the next: sums are added in another order at the most."""
    torch.manual_seed(0)
    net = Net(nn.Conv2d(8, 16, **options), activation(inplace=inplace)).to(HALF)
    net.body[0].weight.data.mul_(8)  # so that ReLU6 clamps
    x = torch.randn(2, 8, 13, 17).to(HALF)
    made, count = fused(net, x)
    is_point = options['kernel_size'] == 1 and 'stride' not in options
    assert count == 1 and type(made.body[0]) is (PointConv2d if is_point else FusedConv2d)
    assert type(made.body[1]) is nn.Identity
    given, expected = made(x)[0], net(x)[0]
    assert given.dtype == HALF and given.shape == expected.shape
    torch.testing.assert_close(given.float(), expected.float(), rtol=2**-7, atol=2**-7)
    assert given.min() == 0 and (activation is nn.ReLU or given.max() == 6)


@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
def test_inputs_of_any_memory_layout(memory):
    """A contiguous image gives the same bits as one with channels last."""
    net = Net(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Conv2d(16, 4, 1)).to(HALF)
    x = torch.randn(2, 8, 9, 9).to(HALF)
    made, _ = fused(net, x)
    assert torch.equal(made(x.contiguous(memory_format=memory))[0], made(x)[0])


def test_a_linear_layer():
    """Of vectors and of tokens, with and without bias."""
    for shape in ((5, 32), (2, 7, 32)):
        for bias in (True, False):
            net = Net(nn.Linear(32, 24, bias=bias)).to(HALF)
            x = torch.randn(shape).to(HALF)
            made, count = fused(net, x)
            assert count == 1 and type(made.body[0]) is PackedLinear
            torch.testing.assert_close(
                made(x)[0].float(), net(x)[0].float(), rtol=2**-7, atol=2**-7
            )


class Standardised(nn.Conv2d):
    """A convolution of its own kind."""

    def forward(self, x):
        return super().forward(x - x.mean())


class Beside(nn.Module):
    """An activation whose input is read elsewhere too, or a weight that is used from outside."""

    def __init__(self, way):
        super().__init__()
        self.conv, self.act = nn.Conv2d(8, 8, 1), nn.ReLU()
        self.way = way

    def forward(self, x):
        if self.way == 'weight alone':
            return (nn.functional.conv2d(x, self.conv.weight).relu(),)
        y = self.conv(x)
        return (self.act(y) + y,)


def test_what_may_not_be_fused_is_left():
    """Read in two places: no activation is taken; own kinds, weights used from outside: nothing."""
    x = torch.randn(1, 8, 6, 8).to(HALF)
    made, count = fused(Beside('read in two places').to(HALF), x)
    assert count == 1 and made.conv.activation == ('none', []) and type(made.act) is nn.ReLU
    assert fused(Beside('weight alone').to(HALF), x)[1] == 0
    assert fused(Net(Standardised(8, 8, 1)).to(HALF), x)[1] == 0
    assert fused(Net(nn.Conv2d(8, 8, 3, padding=1, padding_mode='reflect')).to(HALF), x)[1] == 0
    assert fused(Net(nn.Conv2d(8, 8, 3, padding='same')).to(HALF), x)[1] == 0
    attention = nn.MultiheadAttention(8, 2, batch_first=True).to(HALF).eval()
    fuse_layers(attention, [attention], lambda: attention(x[0], x[0], x[0]))
    assert isinstance(attention.out_proj.weight, nn.Parameter)


def test_an_activation_used_twice_and_a_convolution_used_twice():
    """Modules that are called more than once keep their own place."""
    act, conv = nn.ReLU(), nn.Conv2d(8, 8, 1)
    for net in (Net(nn.Conv2d(8, 8, 1), act, nn.Conv2d(8, 8, 3), act), Net(conv, nn.ReLU(), conv)):
        net = net.to(HALF)
        x = torch.randn(1, 8, 6, 6).to(HALF)
        made, _ = fused(net, x)
        assert any(type(m) is nn.ReLU for m in made.body)
        torch.testing.assert_close(made(x)[0].float(), net(x)[0].float(), rtol=0.02, atol=0.02)


def test_networks_of_torchvision(half_native):
    """Every convolution of three networks; their copies are as close to float32 as unfused ones."""
    for name, points in (('mobilenet_v2', 34), ('squeezenet1_1', 16), ('resnet18', 0)):
        torch.manual_seed(0)
        net = getattr(torchvision.models, name)()
        body = net.features if hasattr(net, 'features') else nn.Sequential(*[*net.children()][:-2])
        copied = FrozenCopy(Net(body), ['backbone'], HALF, size=96).current()
        kinds = [type(m) for m in copied.modules()]
        assert kinds.count(PointConv2d) == points and nn.Conv2d not in kinds


def test_only_bfloat16_on_a_processor(half_native, monkeypatch):
    """float32 and torch.compile run their own; so does a torch without the operators."""
    net = Net(nn.Conv2d(3, 4, 3), nn.ReLU6(inplace=True))

    def kind(*args, **options):
        return type(FrozenCopy(net, ['backbone'], *args, size=16, **options).current().body[0])

    assert kind(HALF) is FusedConv2d
    assert kind(torch.float32) is kind(torch.float16) is kind(HALF, compiled=True) is nn.Conv2d
    monkeypatch.setattr(frozen, 'can_fuse', lambda: False)
    assert kind(HALF) is nn.Conv2d
    assert type(net.body[0]) is nn.Conv2d and net.body[1].inplace


def test_a_fusion_that_is_wrong_is_refused(half_native, monkeypatch):
    """The output would be further from float32: the layers stay, and the log says by how much."""
    said = []
    monkeypatch.setattr(frozen, 'print_log', lambda text, *_: said.append(text))
    monkeypatch.setattr(
        frozen, 'fuse_layers', lambda net, parts, run: net.body[0].weight.data.mul_(1.1)
    )
    net = Net(nn.Conv2d(3, 4, 3), nn.ReLU())
    x = torch.randn(1, 3, 16, 16)
    copied = FrozenCopy(net, ['backbone'], HALF, size=16)
    assert torch.equal(copied(x, ['backbone']), copy.deepcopy(net).to(HALF)(x.to(HALF))[0])
    assert len(said) == 1 and 'layers are not fused' in said[0]


def test_nan_is_not_hidden(half_native):
    """Weights with NaN: the layers are not fused, so that the features still show it."""
    net = Net(nn.Conv2d(3, 4, 3), nn.ReLU6())
    net.body[0].weight[0, 0, 0, 0] = float('nan')
    copied = FrozenCopy(net, ['backbone'], HALF, size=16)
    assert type(copied.current().body[1]) is nn.ReLU6
    assert copied(torch.randn(1, 3, 16, 16), ['backbone']).isnan().any()


def test_copies_and_pickles_make_their_own(half_native):
    """A used copy can be copied and pickled, and gives the same bits."""
    net = Net(nn.Conv2d(3, 4, 1), nn.ReLU())
    x = torch.randn(1, 3, 16, 16)
    used = FrozenCopy(net, ['backbone'], HALF, size=16)
    expected = used(x, ['backbone'])
    for other in (copy.deepcopy(used), pickle.loads(pickle.dumps(used))):
        assert other._copy is None
        assert torch.equal(other(x, ['backbone']), expected)


def test_rows_do_not_depend_on_each_other(half_native):
    """A patch gives the same bits alone and in a chunk, a window in a map of any size."""
    net = Net(nn.Conv2d(3, 32, 3), nn.ReLU6(), nn.Conv2d(32, 64, 1), nn.ReLU6())
    copied = FrozenCopy(net, ['backbone'], HALF, size=32)
    x = torch.randn(9, 3, 32, 32)
    whole = copied(x, ['backbone'])
    for part in (slice(0, 1), slice(2, 7)):
        assert torch.equal(copied(x[part], ['backbone']), whole[part])
