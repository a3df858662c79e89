"""Find out which features of a network to use: its last map if dense mode can, else its vector."""

from collections import OrderedDict
from typing import Any, NamedTuple

import torch
import torchvision
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.timm_backbone import TimmBackbone
from tcnn_mm.models.encoder.probe import probe_map

# Classes of ImageNet: outputs of so many channels are scores, not features.
SCORES = 1000
# Nodes before the classifier that may be the last map; a pooling to a fixed grid is the last one.
_TRIED = 3


class Features(NamedTuple):
    """Which features of a network describe patches.

    Attributes:
        model (dict): Entries for a config's model, on `tcnn_pooled.py`: `backbone`, and for crop
            mode `feature_mode` and `neck`.
        said (str): The layer and the mode, in words.
    """

    model: dict[str, Any]
    said: str


def crop_features(
    backbone: dict[str, Any], reason: str, neck: dict[str, Any] | None = None
) -> Features:
    """Features of crops, pooled by the neck, or without one by the network itself."""
    return Features(
        dict(backbone=backbone, neck=neck, feature_mode='crop'), f'crop mode, because {reason}'
    )


def dense_features(backbone: dict[str, Any], layer: str, stride: int | None) -> Features:
    """Features of windows of a map, with a cell every `stride` pixels."""
    return Features(
        dict(backbone=backbone), f'dense mode, {layer} has a cell every {stride} pixels'
    )


def timm_features(name: str, size: int) -> Features:
    """The last map of a timm network, or the features that its classifier gets.

    Args:
        name: As timm calls the network.
        size: Of a patch, pixels.
    """
    backbone = dict(type='tcnn_mm.TimmBackbone', name=name)
    network = TimmBackbone(name)
    classifier = network.timm_model.pretrained_cfg.get('classifier') or 'head'
    top = (classifier if isinstance(classifier, str) else classifier[0]).partition('.')[0]
    head = getattr(network.timm_model, top, nn.Identity())
    if any(isinstance(module, nn.LayerNorm) for module in head.modules()):
        return crop_features(
            dict(backbone, pooled=True), 'it normalises its features after its last map'
        )
    probe = probe_map(network, size)
    if not probe.dense:
        return crop_features(dict(backbone, pooled=True), probe.reason)
    return dense_features(backbone, 'its last map', probe.stride)


def torchvision_features(name: str, size: int) -> Features:
    """The last map of a torchvision network, or the features that its classifier gets.

    Args:
        name: As torchvision calls the network.
        size: Of a patch, pixels.

    Raises:
        UserError: It has neither.
    """
    network = build_torchvision(name)
    outputs = node_outputs(network, size)
    nodes = list(outputs)
    maps = [node for node in nodes if is_map(outputs[node])]
    vectors = [node for node in nodes if is_vector(outputs[node])]
    backbone = dict(type='tcnn_mm.TorchvisionBackbone', name=name)
    reason = 'it has no map'
    if maps and any(is_norm(network, node) for node in nodes[nodes.index(maps[-1]) + 1 :]):
        reason = 'it normalises its features after its last map'
    else:
        reasons = []
        for node in maps[: -_TRIED - 1 : -1]:
            layer = short_name(node, nodes)
            part = create_feature_extractor(network, {layer: 'out'})
            probe = probe_map(LastOutput(part), size)
            if probe.dense:
                own = dict(backbone, layer=layer)
                return dense_features(own, f'its layer {layer}', probe.stride)
            reasons.append(probe.reason)
        reason = reasons[-1] if reasons else reason
    if not vectors:
        raise UserError(f'{name}: no features found, neither a map ({reason}) nor a vector')
    return crop_features(dict(backbone, layer=vectors[-1]), reason)


class LastOutput(nn.Module):
    """A feature extractor as a network of one output."""

    def __init__(self, extractor: nn.Module) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) → the output."""
        return self.extractor(x)['out']


def build_torchvision(name: str) -> nn.Module:
    """A new network in eval mode; those whose initialisation takes a minute are left without."""
    slow = dict(init_weights=False) if name in ('googlenet', 'inception_v3') else {}
    return torchvision.models.get_model(name, weights=None, **slow).eval()


@torch.no_grad()
def node_outputs(network: nn.Module, size: int) -> OrderedDict[str, torch.Size]:
    """Shapes of all tensors of a forward pass by node of the graph, in its order."""
    nodes = get_graph_node_names(network)[1]
    outputs = create_feature_extractor(network, nodes)(torch.zeros(1, 3, size, size))
    return OrderedDict(
        (node, value.shape) for node, value in outputs.items() if isinstance(value, torch.Tensor)
    )


def is_map(shape: torch.Size) -> bool:
    """Whether (1, C, h, w) is a map of features of a square image."""
    return len(shape) == 4 and shape[2] == shape[3] > 1 and shape[1] != SCORES


def is_vector(shape: torch.Size) -> bool:
    """Whether (1, D) is a vector of features."""
    return len(shape) == 2 and shape[0] == 1 and shape[1] != SCORES


def is_norm(network: nn.Module, node: str) -> bool:
    """Whether a node of the graph belongs to a normalisation, which a mean does not pass."""
    parts = node.split('.')
    modules = dict(network.named_modules())
    paths = ('.'.join(parts[: at + 1]) for at in range(len(parts)))
    return any(isinstance(modules.get(path), (nn.LayerNorm, nn.GroupNorm)) for path in paths)


def short_name(node: str, nodes: list[str]) -> str:
    """The top module, where a node is its last one: 'layer4' for 'layer4.1.relu_1'."""
    top = node.partition('.')[0]
    return top if [n for n in nodes if n.partition('.')[0] == top][-1] == node else node
