"""The paper's network, C1…FC7, as a backbone (Krizhevsky et al. 2012; Oquab et al. 2014, sec. 1).

Three variants share one layout and one naming, torchvision's (`features.0` … `classifier.4`), so
that a torchvision file loads without a map and a Caffe file with a short one.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import nn

from tcnn_mm.checkpoints.pretrained import load_backbone
from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.backbones.alexnet_variants import CAFFE_NAMES, VARIANTS, expand_groups
from tcnn_mm.registry import MODELS

# Krizhevsky's biases of 1: they give the ReLUs positive inputs at the start.
_ONES = ('C2', 'C4', 'C5', 'FC6', 'FC7')


@MODELS.register_module()
class TransferAlexNet(BaseModule):
    """Layers C1…C5, FC6, FC7 of an AlexNet; the output is Y7, after its ReLU.

    Args:
        variant (str): 'torchvision' (64-192-384-256-256), 'krizhevsky' (96-256-384-384-256 with
            local response normalisation) or 'small' (for 64-px patches). Defaults to
            'torchvision'.
        fc_channels (int, optional): Width D of FC6 and FC7: 4096 for the paper's 1000-class
            nets, 6144 for its 1512-class net. Defaults to the variant's.
        groups (int): Groups of C2, C4, C5; Krizhevsky's two towers are 2. A grouped weight
            file loads into an ungrouped net, expanded with zeros. Defaults to 1.
        dropout (float): On the inputs of FC6 and FC7 ('krizhevsky': of FC7) while they train; a
            frozen layer is in eval mode and drops nothing. Defaults to 0.5.
        preprocessing (dict, optional): Entries that replace the variant's `size`, `mean`,
            `std` (grey levels 0–255) or `channel_order`.
        out_layers (sequence[str], optional): Convolutional layers whose maps are the output in
            place of Y7, as a detector's neck or head takes them: after the ReLU, before the
            layer's normalisation and pooling. Nothing above the last of them is built.
        pretrained (str, optional): Weight file that fills these layers, or an error (see
            `pretrained.load_pretrained`): for models that do not load it themselves, as
            `PatchClassifier` does. Its keys may start with `backbone.`.
        init_cfg (dict, optional): Defaults to He's initialisation for every layer; for
            'krizhevsky' to his: weights N(0, 0.01), biases 1 in C2, C4, C5, FC6, FC7 and 0 else.

    Shapes: (B, 3, S, S) float, normalised patches → tuple of one (B, D); with `out_layers`
    (B, 3, H, W) → a map (B, C, h, w) each.

    Raises:
        ValueError: An unknown variant or output layer.
    """

    layer_names = ('C1', 'C2', 'C3', 'C4', 'C5', 'FC6', 'FC7')
    # What dense mode runs on whole images; FC6 and FC7 follow on windows of the map.
    map_layers = ('C1', 'C2', 'C3', 'C4', 'C5')
    # The first module of each layer; a layer lasts until the next one starts.
    _starts = {
        'C1': 'features.0',
        'C2': 'features.3',
        'C3': 'features.6',
        'C4': 'features.8',
        'C5': 'features.10',
        'FC6': 'classifier.0',
        'FC7': 'classifier.3',
    }

    def __init__(
        self,
        variant: str = 'torchvision',
        fc_channels: int | None = None,
        groups: int = 1,
        dropout: float = 0.5,
        preprocessing: dict[str, Any] | None = None,
        out_layers: Sequence[str] | None = None,
        pretrained: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if variant not in VARIANTS:
            raise InvalidValueError(
                f'TransferAlexNet: variant={variant!r}; choose one of {sorted(VARIANTS)}'
            )
        unknown = [name for name in out_layers or () if name not in self.map_layers]
        if unknown:
            raise InvalidValueError(
                f'TransferAlexNet: out_layers={unknown}; choose from {self.map_layers}'
            )
        his = variant == 'krizhevsky'
        self._biases_of_one = _ONES if his and init_cfg is None else ()
        default: dict[str, Any] = (
            dict(type='Normal', std=0.01)
            if his
            else dict(type='Kaiming', mode='fan_in', nonlinearity='relu')
        )
        default['layer'] = ['Conv2d', 'Linear']
        super().__init__(init_cfg=default if init_cfg is None else init_cfg)
        spec = VARIANTS[variant]
        drops = dict.fromkeys(spec.dropout, dropout)
        self.variant = variant
        self.fc_channels = fc_channels or spec.fc_channels
        self.preprocessing = dict(spec.preprocessing, **(preprocessing or {}))
        c1, c2, c3, c4, c5 = spec.channels
        kernel, stride, padding = spec.stem
        relu = lambda: nn.ReLU(inplace=True)  # noqa: E731
        # Krizhevsky's order is ReLU, normalisation, pooling.
        norm = lambda: nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)  # noqa: E731
        features: OrderedDict[str, nn.Module] = OrderedDict()
        features['0'], features['1'] = nn.Conv2d(3, c1, kernel, stride, padding), relu()
        if his:
            features['norm1'] = norm()
        features['2'] = nn.MaxPool2d(3, 2)
        features['3'] = nn.Conv2d(c1, c2, spec.second, padding=spec.second // 2, groups=groups)
        features['4'] = relu()
        if his:
            features['norm2'] = norm()
        features['5'] = nn.MaxPool2d(3, 2)
        features['6'], features['7'] = nn.Conv2d(c2, c3, 3, padding=1), relu()
        features['8'], features['9'] = nn.Conv2d(c3, c4, 3, padding=1, groups=groups), relu()
        features['10'], features['11'] = nn.Conv2d(c4, c5, 3, padding=1, groups=groups), relu()
        features['12'] = nn.MaxPool2d(3, 2)
        self.pretrained = pretrained
        self.out_channels: int | tuple[int, ...]
        self.out_layers: tuple[str, ...] = ()
        if out_layers:
            self._keep_maps(features, out_layers, spec.channels)
        self.features = nn.Sequential(features)
        if self.out_layers:
            return
        self.grid = spec.grid
        self.avgpool = nn.AdaptiveAvgPool2d(self.grid)
        self.classifier = nn.Sequential(
            nn.Dropout(drops.get('FC6', 0.0)),
            nn.Linear(c5 * self.grid**2, self.fc_channels),
            relu(),
            nn.Dropout(drops.get('FC7', 0.0)),
            nn.Linear(self.fc_channels, self.fc_channels),
            relu(),
        )
        self.out_channels = self.fc_channels

    def _keep_maps(
        self,
        features: OrderedDict[str, nn.Module],
        out_layers: Sequence[str],
        channels: tuple[int, ...],
    ) -> None:
        """Drop what stands above the last output map; the ReLUs are those of C1…C5, in order."""
        relus = [name for name, module in features.items() if isinstance(module, nn.ReLU)]
        layers = zip(self.map_layers, relus, channels, strict=True)
        rows = [row for row in layers if row[0] in out_layers]
        self.out_layers = tuple(layer for layer, _, _ in rows)
        self._ends = tuple(end for _, end, _ in rows)
        self.out_channels = tuple(width for _, _, width in rows)
        names = list(features)
        for name in names[names.index(self._ends[-1]) + 1 :]:
            del features[name]

    def init_weights(self) -> None:
        """Initialise all layers, then load `pretrained` where given."""
        super().init_weights()
        layers = self.layers()
        for layer in self._biases_of_one:
            for _, module in layers.get(layer, ()):
                if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
                    nn.init.ones_(module.bias)
        if self.pretrained:
            load_backbone(self, self.pretrained)

    def layers(self) -> OrderedDict[str, list[tuple[str, nn.Module]]]:
        """Modules of each layer in forward order: {'C1': [('features.0', conv), …], …}."""
        starts = {start: layer for layer, start in self._starts.items()}
        result: OrderedDict[str, list[tuple[str, nn.Module]]] = OrderedDict()
        layer = ''
        for container in ('features', 'classifier'):
            for name, module in getattr(self, container, nn.Sequential()).named_children():
                path = f'{container}.{name}'
                layer = starts.get(path, layer)
                result.setdefault(layer, []).append((path, module))
        return result

    def run_layers(self, x: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
        """Run the named consecutive layers on what the layer before them gave."""
        layers = self.layers()
        for name in names:
            if name == 'FC6':
                # At the variant's own patch side, and for dense mode's windows, it has this size.
                x = torch.flatten(x if x.shape[-1] == self.grid else self.avgpool(x), 1)
            for _, module in layers[name]:
                x = module(x)
        return x

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 3, S, S) → (Y7 (B, D),), or the maps of `out_layers`."""
        if not self.out_layers:
            return (self.run_layers(x, self.layer_names),)
        maps = []
        for name, module in self.features.named_children():
            x = module(x)
            if name in self._ends:
                maps.append(x)
        return tuple(maps)

    def convert_state_dict(
        self, state_dict: Mapping[str, torch.Tensor]
    ) -> OrderedDict[str, torch.Tensor]:
        """Bring a torchvision or Caffe-shaped state dict into this net's names and shapes.

        Caffe's `conv1…fc7` are renamed, grouped weights are expanded where this net is
        ungrouped. What belongs to no layer of C1…FC7 (FC8) keeps its name.
        """
        own = dict(self.named_parameters())
        converted: OrderedDict[str, torch.Tensor] = OrderedDict()
        for key, value in state_dict.items():
            head, _, leaf = key.rpartition('.')
            key = f'{CAFFE_NAMES[head]}.{leaf}' if head in CAFFE_NAMES else key
            target = own.get(key)
            if (
                target is not None
                and target.dim() == 4
                and value.dim() == 4
                and value.shape[1] < target.shape[1]
                and target.shape[1] % value.shape[1] == 0
            ):
                value = expand_groups(value, target.shape[1])
            converted[key] = value
        return converted
