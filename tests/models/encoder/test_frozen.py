"""The copy that frozen layers run on: same output, follows its original, costs the run nothing."""

import pytest
import torch
import torchvision
from torch import nn

from tcnn_mm.models.encoder import frozen, hardware
from tcnn_mm.models.encoder.frozen import FrozenCopy
from tcnn_mm.registry import MODELS
from tests.support.patch_model import build_model, make_image


class Mobile(nn.Module):
    """Few of MobileNetV2's layers, with BatchNorm statistics that are not the initial ones."""

    def __init__(self):
        super().__init__()
        self.body = torchvision.models.mobilenet_v2().features[:4]
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2.0)
        self.eval().requires_grad_(False)

    def forward(self, x):
        return (self.body(x),)


class NormBeforeConv(nn.Module):
    """Child order says conv, norm; the forward runs norm, conv: folding would be wrong."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)
        self.norm.running_mean.fill_(0.7)
        self.norm.running_var.fill_(3.0)
        self.eval().requires_grad_(False)

    def forward(self, x):
        return (self.conv(self.norm(x).relu()),)


@pytest.fixture
def x():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_folding_keeps_the_output(x):
    """BatchNorm is gone and the output is the original's to float32 rounding."""
    net = Mobile()
    frozen = FrozenCopy(net, ['backbone'], size=64)
    torch.testing.assert_close(frozen(x, ['backbone']), net(x)[-1], rtol=1e-4, atol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in frozen.current().modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in net.modules())


def test_a_wrong_fold_is_refused(x, monkeypatch):
    """A fold that changes the output is not used, and the log says by how much it would."""
    said = []
    monkeypatch.setattr(frozen, 'print_log', lambda text, *_: said.append(text))
    monkeypatch.setattr(
        frozen, 'fold_norms', lambda net, parts, run: net.body[0][0].weight.data.mul_(3.0)
    )
    net = Mobile()
    torch.testing.assert_close(FrozenCopy(net, ['backbone'], size=64)(x, ['backbone']), net(x)[-1])
    assert len(said) == 1 and 'BatchNorm is not folded' in said[0] and 'Mobile' in said[0]


def test_a_norm_before_its_convolution_is_left(x, half_native):
    """Its output stays the original's; in bfloat16 its statistics stay float32."""
    net = NormBeforeConv()
    frozen = FrozenCopy(net, ['backbone'], size=64)
    torch.testing.assert_close(frozen(x, ['backbone']), net(x)[-1])
    half = FrozenCopy(net, ['backbone'], torch.bfloat16, size=64)
    assert half.current().norm.running_var.dtype == torch.float32
    torch.testing.assert_close(half(x, ['backbone']).float(), net(x)[-1], rtol=0.05, atol=0.05)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_an_emulated_dtype_runs_in_float32(x, dtype, monkeypatch):
    """A processor without its instructions: float32's very output, said once, in one line."""
    said = []
    monkeypatch.setattr(hardware, 'instructions', lambda dtype: [])
    monkeypatch.setattr(frozen, 'print_log', lambda text, *_: said.append(text))
    frozen._warn_emulated.cache_clear()
    net = Mobile()
    half = FrozenCopy(net, ['backbone'], dtype, size=64)
    full = FrozenCopy(net, ['backbone'], size=64)
    assert torch.equal(half(x, ['backbone']), full(x, ['backbone']))
    assert half.dtype == dtype and half.dtype_on('cpu') == torch.float32
    assert half.dtype_on('cuda') == dtype
    assert len(said) == 1 and 'will not be faster here' in said[0]
    frozen._warn_emulated.cache_clear()


def test_it_follows_the_original(x):
    """Weights loaded later are the ones that run; without a change the copy is kept."""
    net, other = Mobile(), Mobile()
    frozen = FrozenCopy(net, ['backbone'], size=64)
    frozen(x, ['backbone'])
    first = frozen.current()
    assert frozen.current() is first
    net.load_state_dict(other.state_dict())
    torch.testing.assert_close(frozen(x, ['backbone']), other(x)[-1], rtol=1e-4, atol=1e-4)
    assert frozen.current() is not first


def test_nothing_is_copied_where_nothing_differs():
    """float32 without BatchNorm runs the original."""
    model = build_model()
    assert model.encoder.frozen.current() is model.backbone


def test_trained_layers_are_shared_and_never_cast(half_native):
    """FC6 trained: the bfloat16 copy holds C1…C5 only, FC6's weight is the model's own."""
    model = build_model(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7'), frozen_dtype='bfloat16')
    copy = model.encoder.frozen.current()
    assert copy.classifier[1].weight is model.backbone.classifier[1].weight
    assert copy.classifier[1].weight.dtype == torch.float32
    assert copy.features[0].weight.dtype == torch.bfloat16
    assert model.backbone.features[0].weight.dtype == torch.float32


def test_checkpoints_do_not_hold_it():
    """The state dict after a bfloat16 test has the same keys and float32 values as before."""
    model = build_model(frozen_dtype='bfloat16').eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.predict([make_image()[0]])
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_random_numbers_are_untouched(x):
    """Making the copy (with its check on noise) draws nothing from the run's generator."""
    torch.manual_seed(3)
    expected = torch.rand(4)
    net = Mobile()
    torch.manual_seed(3)
    FrozenCopy(net, ['backbone'], size=64)(x, ['backbone'])
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.slow
def test_compiled_layers_give_the_same_scores():
    """compile_frozen=True: the same scores to 1e-5, chunks of other sizes included."""
    image, _ = make_image()
    plain, compiled = (
        build_model(compile_frozen=flag, chunk_size=8).eval() for flag in (False, True)
    )
    with torch.no_grad():
        scores = [m.predict([image])[0].pred_score for m in (plain, compiled)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-5)


def test_mmpretrain_backbone_folds():
    """mmpretrain's ResNet (its own layer order) folds too, seen in the model's features."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(type='mmpretrain.ResNet', depth=18),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=512),
            preprocessing=dict(size=64, mean=(127,) * 3, std=(64,) * 3, channel_order='rgb'),
            sampler=dict(type='tcnn_mm.PatchSampler', grid={}, labeler={}),
            frozen=('backbone',),
        )
    ).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        whole = model.neck(model.backbone(x))[-1]
    torch.testing.assert_close(model.encoder.encode_patches(x), whole, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.encoder.frozen.current().modules())


def trained_whole(**options):
    """A backbone that declares no layers, with nothing frozen."""
    return MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=Mobile().requires_grad_(True),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=24, dropout=0.0),
            preprocessing=dict(size=64, mean=(127,) * 3, std=(64,) * 3, channel_order='rgb'),
            sampler=dict(
                type='tcnn_mm.PatchSampler',
                grid=dict(type='tcnn_mm.PatchGrid', scales=(1.0,)),
                labeler={},
            ),
            frozen=(),
            **options,
        )
    )


def test_a_wholly_trained_backbone_without_layer_names():
    """Nothing frozen: nothing is copied or folded, and the whole backbone gets its gradient."""
    model = trained_whole().train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    model.loss([image], [sample])['loss'].backward()
    assert all(p.grad is not None for p in model.backbone.parameters())
    assert model.encoder.frozen.current() is model.backbone


def test_bfloat16_of_nothing_frozen_leaves_the_pixels_alone():
    """frozen_dtype is of the frozen layers: with none, patches stay float32 as they are cut."""
    image, _ = make_image()
    boxes = [trained_whole().sampler.grid((60, 80))]
    parts = [
        torch.cat(
            [part for *_, part in trained_whole(**options).encoder.iter_features([image], boxes)]
        )
        for options in ({}, dict(frozen_dtype='bfloat16'))
    ]
    assert torch.equal(*parts)
