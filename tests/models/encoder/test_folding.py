"""BatchNorm goes into the convolution that runs before it, whatever the modules' order is."""

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tcnn_mm.models.encoder import frozen
from tcnn_mm.models.encoder.folding import after_norm, find_pairs
from tcnn_mm.models.encoder.frozen import FrozenCopy
from tcnn_mm.registry import MODELS


def randomised(net: nn.Module) -> nn.Module:
    """Fill the norms with statistics that are not the initial ones."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            if module.track_running_stats:
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2.0)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.3, 0.3)
    return net.eval().requires_grad_(False)


def norms(net: nn.Module) -> int:
    """Count the BatchNorms of a network."""
    return sum(isinstance(m, _BatchNorm) for m in net.modules())


class Timm(nn.Module):
    """A network of timm without weights, as mmpretrain's TIMMBackbone has it."""

    def __init__(self, name: str):
        super().__init__()
        timm = pytest.importorskip('timm')
        self.timm_model = timm.create_model(name)
        self.timm_model.reset_classifier(0, '')

    def forward(self, x):
        return (self.timm_model(x),)


@pytest.mark.parametrize(
    'name, left',
    [
        ('efficientnet_lite0', 0),
        ('mobilenetv4_conv_small', 0),
        ('mobilenetv3_small_050', 0),
        ('resnet10t', 0),
        ('regnetx_002', 0),
        ('regnety_002', 0),
        ('repvgg_a0', 17),  # norms of the branches that have no convolution
        ('convnext_atto', 0),  # none from the start
        ('densenet121', 62),  # norms after a concatenation
    ],
)
def test_timm_networks_fold(name, left, monkeypatch):
    """The output is the original's; only norms without a convolution before them are left."""
    said = []
    monkeypatch.setattr(frozen, 'print_log', lambda text, *_: said.append(text))
    torch.manual_seed(0)
    net = randomised(Timm(name))
    copy = FrozenCopy(net, ['backbone'], size=64)
    x = torch.randn(2, 3, 64, 64)
    expected = net(x)[-1]
    off = (copy(x, ['backbone']) - expected).abs().max() / expected.abs().max()
    assert off < 1e-4 and not said
    assert norms(copy.current()) == left


class Block(nn.Module):
    """A convolution and a norm, joined by a function of both and the input."""

    def __init__(self, join, conv=None, norm=None):
        super().__init__()
        self.norm = norm or nn.BatchNorm2d(3)  # registered first, which must not matter
        self.conv = conv or nn.Conv2d(3, 3, 3, padding=1)
        self.join = join
        randomised(self)

    def forward(self, x):
        return (self.join(self.conv, self.norm, x),)


def read_twice(conv, norm, x):
    y = conv(x)
    return y + norm(y)


def changed_in_place(conv, norm, x):
    return norm(conv(x).relu_())


class Standardised(nn.Conv2d):
    """A convolution whose weight is computed from its parameter."""

    def forward(self, x):
        weight = self.weight / self.weight.std()
        return nn.functional.conv2d(x, weight, self.bias, self.stride, self.padding)


class Squared(nn.BatchNorm2d):
    """A norm that does something of its own afterwards."""

    def forward(self, x):
        return super().forward(x) ** 2


def in_order(conv, norm, x):
    return norm(conv(x))


CASES = {
    'norm after conv': (in_order, {}, 1),
    'without affine': (in_order, dict(norm=nn.BatchNorm2d(3, affine=False)), 1),
    'without bias': (in_order, dict(conv=nn.Conv2d(3, 3, 1, bias=False)), 1),
    'groups': (in_order, dict(conv=nn.Conv2d(3, 3, 3, groups=3)), 1),
    'norm before conv': (lambda conv, norm, x: conv(norm(x)), {}, 0),
    'conv used elsewhere too': (read_twice, {}, 0),
    'conv changed in place': (changed_in_place, {}, 0),
    'conv runs twice': (lambda conv, norm, x: norm(conv(conv(x))), {}, 0),
    'norm runs twice': (lambda conv, norm, x: norm(norm(conv(x))), {}, 0),
    'standardised weight': (in_order, dict(conv=Standardised(3, 3, 3)), 0),
    'a norm of its own': (in_order, dict(norm=Squared(3)), 0),
    'batch statistics': (in_order, dict(norm=nn.BatchNorm2d(3, track_running_stats=False)), 0),
}


@pytest.mark.parametrize('case', CASES)
def test_pairs_are_found_by_use(case):
    """Exactly the pairs that may be folded are; the output is kept in all cases."""
    join, parts, count = CASES[case]
    torch.manual_seed(0)
    net = Block(join, **parts)
    x = torch.randn(1, 3, 16, 16)
    assert len(find_pairs([net], lambda: net(x))) == count
    copy = FrozenCopy(net, ['backbone'], size=16)
    torch.testing.assert_close(copy(x, ['backbone']), net(x)[-1], rtol=1e-4, atol=1e-5)


def test_what_runs_after_a_norm_is_known_or_the_norm_stays():
    """A plain norm: nothing; drop and act of timm: kept in order; anything else: unknown."""
    timm = pytest.importorskip('timm')
    assert isinstance(after_norm(nn.BatchNorm2d(3)), nn.Identity)
    assert isinstance(after_norm(nn.SyncBatchNorm(3)), nn.Identity)
    both = timm.layers.BatchNormAct2d(3, drop_layer=nn.Dropout, act_layer=nn.SiLU)
    assert [type(m) for m in after_norm(both)] == [nn.Dropout, nn.SiLU]
    assert isinstance(after_norm(timm.layers.BatchNormAct2d(3)), nn.ReLU)
    assert not list(after_norm(timm.layers.BatchNormAct2d(3, apply_act=False)).children())
    assert after_norm(Squared(3)) is None


def test_networks_of_torchvision_fold(monkeypatch):
    """Its feature extractor comes out of a copy in training mode, where no norm is fixed."""
    said = []
    monkeypatch.setattr(frozen, 'print_log', lambda text, *_: said.append(text))
    net = randomised(
        MODELS.build(
            dict(type='tcnn_mm.TorchvisionBackbone', name='mobilenet_v2', layer='features')
        )
    )
    copy = FrozenCopy(net, ['backbone'], size=64)
    assert norms(copy.current()) == 0 and norms(net) == 52 and not said
