"""Any torchvision network up to a named layer."""

from typing import Any

import torch
import torchvision
from mmengine.model import BaseModule
from torchvision.models.feature_extraction import create_feature_extractor

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.registry import MODELS

# What the public ImageNet files of torchvision expect: 0–255 grey levels of RGB.
IMAGENET = dict(
    size=224, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), channel_order='rgb'
)


@MODELS.register_module()
class TorchvisionBackbone(BaseModule):
    """`torchvision.models.<name>` up to and with `layer`; parameter names as in torchvision.

    Args:
        name (str): e.g. 'squeezenet1_0', 'mobilenet_v2', 'vgg16'.
        layer (str): A node of the network's graph. Defaults to 'features', the convolutional
            part of most networks.
        preprocessing (dict, optional): Entries that replace torchvision's `size`, `mean`, `std`
            (grey levels 0–255) or `channel_order`: they belong to the weight file.
        init_cfg (dict, optional): Defaults to torchvision's own initialisation.

    Shapes: (B, 3, S, S) → tuple of one, the layer's output: (B, C, h, w) for a map.
    """

    def __init__(
        self,
        name: str,
        layer: str = 'features',
        preprocessing: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        known = torchvision.models.list_models(module=torchvision.models)
        if name not in known:
            raise InvalidValueError(f'TorchvisionBackbone: name={name!r}; torchvision has {known}')
        network = torchvision.models.get_model(name, weights=None)
        try:
            extractor = create_feature_extractor(network, {layer: 'out'})
        except ValueError as error:
            parts = [child for child, _ in network.named_children()]
            raise InvalidValueError(
                f'TorchvisionBackbone: layer={layer!r} is not in {name}; its parts: {parts}'
            ) from error
        self.name, self.layer = name, layer
        self.preprocessing = dict(IMAGENET, **(preprocessing or {}))
        self.extractor = extractor

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """(B, 3, S, S) → tuple of one, the output of the layer."""
        return (self.extractor(x)['out'],)
