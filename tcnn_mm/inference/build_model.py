"""Build the model of a config, ready to predict."""

import torch
from mmengine.config import Config

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.inference.trained_model import fill
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import MODELS


def build_model(cfg: Config, checkpoint: str | None = None, trust: bool = False) -> PatchModel:
    """Build the model of a config in eval mode, on the GPU where there is one.

    Args:
        cfg: The experiment.
        checkpoint: Its weights. Defaults to those of `model.pretrained`, with an untrained head.
        trust: See :func:`load_safely`.

    Raises:
        UserError: The checkpoint is of another network.
    """
    model = MODELS.build(dict(cfg.model, pretrained=None) if checkpoint else cfg.model)
    if checkpoint:
        fill(model, load_safely(checkpoint, trust=trust), checkpoint)
    else:
        model.init_weights()
    return model.cuda().eval() if torch.cuda.is_available() else model.eval()
