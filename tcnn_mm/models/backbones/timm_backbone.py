"""Any timm network as a backbone: its last map, or its pooled features."""

from typing import Any

import torch
from mmengine.model import BaseModule

from tcnn_mm.checkpoints.published import import_timm
from tcnn_mm.errors import InvalidValueError
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """`timm.create_model(name)` without its classifier; knows the pixels of its weights.

    mmpretrain's `TIMMBackbone` gives the map alone, and knows no pixels; weights and checkpoints
    of both have the same names.

    Args:
        name (str): e.g. 'resnet10t', or with the tag of the weights 'resnet10t.c3_in1k'.
        pooled (bool): Give the features (B, D) that the classifier would get, as timm pools
            them: for networks whose map is of no use, as transformers'. Defaults to False.
        preprocessing (dict, optional): Entries that replace the `size`, `mean`, `std` (grey
            levels 0–255) or `channel_order` that timm says.
        init_cfg (dict, optional): Defaults to timm's own initialisation.
        **options: Of `timm.create_model`.

    Shapes: (B, 3, S, S) → tuple of one: (B, C, h, w), or with `pooled` (B, D).

    Raises:
        UserError: timm is not installed.
        InvalidValueError: An unknown name.
    """

    timm_model: Any  # of no type that is known

    def __init__(
        self,
        name: str,
        pooled: bool = False,
        preprocessing: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
        **options: Any,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        import_timm(name)
        import timm

        if not timm.is_model(name):
            raise InvalidValueError(f'TimmBackbone: name={name!r} is none of timm.list_models()')
        self.name, self.pooled = name, pooled
        self.timm_model = timm.create_model(name, pretrained=False, num_classes=0, **options)
        if not pooled:
            self.timm_model.reset_classifier(0, '')
        cfg = self.timm_model.pretrained_cfg
        mean, std = (tuple(255 * v for v in cfg[key]) for key in ('mean', 'std'))
        own = dict(size=cfg['input_size'][-1], mean=mean, std=std, channel_order='rgb')
        self.preprocessing = dict(own, **(preprocessing or {}))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """(B, 3, S, S) → tuple of one, the map or the features."""
        return (self.timm_model(x),)
