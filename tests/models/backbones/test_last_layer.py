"""Which features of a network are used: found by a probe, for every kind of network."""

import pytest
import torch
from mmengine.registry import MODELS

from tcnn_mm.models.backbones.last_layer import timm_features, torchvision_features


@pytest.mark.parametrize(
    'name, layer',
    [('resnet18', 'layer4'), ('squeezenet1_1', 'classifier.0'), ('mobilenet_v2', 'features')],
)
def test_a_map_of_torchvision(name, layer):
    """The last one before the pooling, by its module's name."""
    found = torchvision_features(name, 65)
    assert found.model == dict(
        backbone=dict(type='tcnn_mm.TorchvisionBackbone', name=name, layer=layer)
    )
    assert found.said.startswith('dense mode')


@pytest.mark.parametrize(
    'name, layer, reason, width',
    [
        ('mobilenet_v3_small', 'classifier.2', 'SqueezeExcitation', 1024),
        pytest.param('convnext_tiny', 'classifier.1', 'normalises', 768, marks=pytest.mark.slow),
        pytest.param('vit_b_16', 'getitem_5', 'normalises', 768, marks=pytest.mark.slow),
    ],
)
def test_a_vector_of_torchvision(name, layer, reason, width):
    """Without a map that dense mode can use: what the classifier gets, of crops, and why."""
    found = torchvision_features(name, 224)
    assert found.model['feature_mode'] == 'crop' and found.model['neck'] is None
    assert found.model['backbone']['layer'] == layer
    assert found.said.startswith('crop mode, because') and reason in found.said
    with torch.no_grad():
        (out,) = MODELS.build(found.model['backbone']).eval()(torch.zeros(1, 3, 224, 224))
    assert out.shape == (1, width)


@pytest.mark.parametrize(
    'name, dense',
    [('test_resnet', True), ('test_efficientnet', False), ('test_vit', False)],
)
def test_a_network_of_timm(name, dense):
    """Its map, or what timm pools; the pixels are timm's."""
    pytest.importorskip('timm')
    found = timm_features(name, 160)
    assert found.model['backbone'].get('pooled', False) is not dense
    assert ('feature_mode' not in found.model) is dense
    backbone = MODELS.build(found.model['backbone']).eval()
    assert backbone.preprocessing['size'] == 160
    with torch.no_grad():
        (out,) = backbone(torch.zeros(2, 3, 160, 160))
    assert out.dim() == (4 if dense else 2)
