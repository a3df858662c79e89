"""What is frozen stays as it is, and costs no graph."""

import pytest
import torch

from tcnn_mm.models.freezing import count_parameters, split_layers
from tests.support.patch_model import FROZEN, build_model, make_image


def step(model):
    """One training step; returns the names of the parameters that it changed."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    loss = model.loss([image], [sample])['loss']
    loss.backward()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.data -= 0.1 * parameter.grad
    return {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}


def names(*prefixes):
    return {f'{p}.{leaf}' for p in prefixes for leaf in ('weight', 'bias')}


def test_only_the_head_trains():
    """All of C1…FC7 frozen: one step changes exactly FCa and FCb."""
    assert step(build_model()) == names('head.FCa', 'head.FCb')


def test_fc6_trains_under_a_frozen_fc7():
    """The paper's best action row: one step changes exactly FC6, FCa, FCb."""
    model = build_model(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7'))
    assert step(model) == names('backbone.classifier.1', 'head.FCa', 'head.FCb')


def test_nothing_frozen_trains_everything():
    """No-pretrain: every parameter gets a gradient."""
    model = build_model(frozen=())
    assert step(model) == {name for name, _ in model.named_parameters()}


def test_no_graph_is_kept_for_a_frozen_backbone():
    """Features of a frozen net need no gradient; below FC6 the same."""
    model = build_model().train()
    patches = torch.randn(2, 3, 64, 64)
    assert not model.encoder.encode_patches(patches).requires_grad
    assert model.voter.logits(model.encoder.encode_patches(patches)).requires_grad
    model = build_model(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7')).train()
    below = model.encoder.encode_patches(patches)
    assert not below.requires_grad and below.shape[1:] == (64, 3, 3)


def test_split_is_at_the_first_trainable_layer():
    """Layers below run without graph, from the first trainable one on with it."""
    model = build_model(frozen=('C1', 'C2', 'C4', 'FC7'))
    assert split_layers(model.backbone) == (['C1', 'C2'], ['C3', 'C4', 'C5', 'FC6', 'FC7'])


def test_frozen_layers_stay_in_eval_mode():
    """train() leaves the dropout of frozen layers off, that of trained ones on."""
    model = build_model(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7')).train()
    drop6, drop7 = model.backbone.classifier[0], model.backbone.classifier[3]
    assert drop6.training and not drop7.training
    model.eval().train()
    assert drop6.training and not drop7.training and model.head.drop.training


def test_prefixes_freeze_too():
    """Parameter prefixes work beside layer names, with counts that add up."""
    model = build_model(frozen=('backbone.features', 'head.FCa'))
    frozen, trainable = count_parameters(model)
    assert not model.head.FCa.weight.requires_grad and model.head.FCb.weight.requires_grad
    assert frozen + trainable == sum(p.numel() for p in model.parameters())
    assert 'backbone.classifier.1.weight' in step(model)


def test_a_wrong_name_lists_the_right_ones():
    """frozen='FC9' is an error with the layers' names."""
    with pytest.raises(ValueError, match='FC9.*C1.*FC7'):
        build_model(frozen=('FC9',))


def test_all_layer_names_are_the_backbone():
    """The paper's list of frozen layers freezes the whole backbone."""
    model = build_model(frozen=FROZEN)
    assert not any(p.requires_grad for p in model.backbone.parameters())
