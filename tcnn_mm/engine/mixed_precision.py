"""`--amp`: reduced precision of a config's model."""

import torch
from mmengine.config import Config

from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import MODELS, config_builds


def use_amp(cfg: Config) -> None:
    """Cast the frozen layers to bfloat16; on a GPU train in the toolbox's mixed precision too.

    mmengine's AmpOptimWrapper refuses a machine without a GPU. Whether a processor has bfloat16
    instructions is checked by `FrozenCopy`.

    Args:
        cfg: Changed in place.

    Raises:
        UserError: A model of the toolbox's own without a GPU: it has no frozen layers to cast.
    """
    if config_builds(cfg.model, MODELS, PatchModel):
        cfg.model.frozen_dtype = 'bfloat16'
    elif not torch.cuda.is_available():
        raise UserError(f'--amp: {cfg.model.type} needs a GPU for it; leave --amp out here')
    if torch.cuda.is_available() and cfg.get('optim_wrapper'):
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
