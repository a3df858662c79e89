"""What a network does to an image is found by running it, not by its modules' names."""

import pytest
import torch
import torchvision
from torch import nn

from tcnn_mm.models.encoder.locality import (
    distinct_values,
    global_names,
    is_regular,
    map_facts,
    map_geometry,
    reach_of,
)
from tcnn_mm.registry import MODELS


class Small(nn.Module):
    """Two strided convolutions, then an operation."""

    def __init__(self, after=None, padding=1, first=None):
        super().__init__()
        torch.manual_seed(0)
        self.first = first or nn.Conv2d(3, 8, 3, 2, padding)
        self.second = nn.Conv2d(8, 8, 3, 2, padding)
        self.after = after or nn.Identity()
        self.eval()

    def forward(self, x):
        return self.after(self.second(self.first(x).relu()))


class Function(nn.Module):
    """A function as a module, whose name says nothing."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class SamePadding(nn.Conv2d):
    """TensorFlow's "SAME": the padding depends on the size of the input."""

    def forward(self, x):
        pads = [max((-(-side // 2) - 1) * 2 + 3 - side, 0) for side in (x.shape[-1], x.shape[-2])]
        halves = [half for pad in pads for half in (pad // 2, pad - pad // 2)]
        return super().forward(nn.functional.pad(x, halves))


def attention(x):
    tokens = x.flatten(2).transpose(1, 2)
    out = nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)
    return out.transpose(1, 2).reshape(x.shape)


def in_windows(x):
    """Means of 2 × 2 cells, each added to its cells: local, and no window moves with the image."""
    pooled = nn.functional.avg_pool2d(x, 2, ceil_mode=True)
    return x + nn.functional.interpolate(pooled, scale_factor=2)[..., : x.shape[2], : x.shape[3]]


GLOBAL = {
    'squeeze-and-excitation in a function': Function(lambda x: x * x.mean((2, 3), True).sigmoid()),
    'attention in a function': Function(attention),
    'norm over space': nn.GroupNorm(2, 8),
    'one group, no weights': Function(lambda x: nn.functional.layer_norm(x, x.shape[1:])),
    'maximum': Function(lambda x: x / x.amax((2, 3), True)),
}


@pytest.mark.parametrize('what', GLOBAL)
def test_global_operations_are_found_by_what_they_do(what):
    """Far pixels change a cell."""
    found = map_facts(Small(GLOBAL[what]), 32)
    assert (found.stride, found.side, found.width) == (4, 8, 8)
    assert found.reach is None and not found.regular and found.padding == 'unknown'


def test_a_hidden_operation_is_found():
    """A weight of 0, as of a last norm before training, would hide what is behind it."""

    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(8, 1, 1))

        def forward(self, x):
            return x + self.scale * x.mean((2, 3), True)

    net = Small(Hidden())
    assert reach_of(net, 32, 4, 8) == 384
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    with distinct_values(net):
        assert reach_of(net, 32, 4, 8) is None
    after = net.state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    'net, size, padding',
    [
        (Small(padding=0), 31, 'none'),
        (Small(), 32, 'fixed'),
        (Small(), 33, 'fixed'),
        (Small(first=SamePadding(3, 8, 3, 2)), 32, 'by size'),
    ],
)
def test_padding(net, size, padding):
    """None, fixed, or TensorFlow's, from the maps of two sizes."""
    found = map_facts(net, size)
    assert found.padding == padding and found.reach == 384 and found.regular


def test_a_local_operation_on_windows_is_not_regular():
    """Cells whose neighbours depend on their position are no cells of any patch's map."""
    net = Small(Function(in_windows))
    assert reach_of(net, 32, 4, 8) == 384 and not is_regular(net, 32, 4, 8)
    assert is_regular(Small(), 32, 4, 8)


@pytest.mark.parametrize(
    'name, size, stride, side',
    [('alexnet', 224, 32, 6), ('mobilenet_v2', 225, 32, 8), ('squeezenet1_0', 227, 16, 13)],
)
def test_geometry_of_known_networks(name, size, stride, side):
    """Stride and window side of the networks that our configs use, from the nets themselves."""
    net = torchvision.models.get_model(name).features.eval()
    assert map_geometry(net, size) == (stride, side)
    assert is_regular(net, size, stride, side)


@pytest.mark.parametrize(
    'net, said',
    [
        (Small(Function(lambda x: x.mean((2, 3)))), r'a map \(B, C, h, w\).*\(1, 8\)'),
        (Small(Function(lambda x: x + torch.zeros(8, 8))), 'any size; at 96×96 pixels this one'),
        (Small(Function(lambda x: nn.functional.adaptive_avg_pool2d(x, 7))), 'no regular stride'),
    ],
)
def test_networks_without_a_map_are_refused(net, said):
    """No map, one size only, or a map that does not grow: one error that says which."""
    with pytest.raises(ValueError, match=f"feature_mode='dense'.*{said}"):
        map_geometry(net, 32)


def build(backbone, width, **options):
    return MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=backbone,
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=width),
            preprocessing=dict(size=64, mean=(0,) * 3, std=(1,) * 3, channel_order='rgb'),
            sampler=dict(type='tcnn_mm.PatchSampler', grid={}, labeler={}),
            frozen=('backbone',),
            feature_mode='dense',
            **options,
        )
    )


class Tuple(Small):
    def forward(self, x):
        return (super().forward(x),)


@pytest.mark.parametrize(
    'backbone, width, what',
    [
        (dict(type='tcnn_mm.TorchvisionBackbone', name='mobilenet_v3_small'), 576, 'SqueezeExcit'),
        (Tuple(GLOBAL['attention in a function']), 8, 'reads the whole image: set dense_tile'),
        (Tuple(Function(in_windows)), 8, 'depends on the place'),
    ],
)
def test_dense_mode_refuses_what_is_not_local(backbone, width, what):
    """The error names known modules, and what to use in place."""
    with pytest.raises(ValueError, match=f"{what}.*feature_mode='crop'"):
        build(backbone, width)


def test_names_are_for_the_message():
    """Known classes among the modules, each once."""
    net = nn.Sequential(nn.GroupNorm(1, 4), nn.GroupNorm(2, 4), nn.AdaptiveAvgPool2d(1))
    assert global_names([net]) == ['AdaptiveAvgPool2d', 'GroupNorm']
