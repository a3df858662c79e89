"""Build the model of a config, ready to predict."""

from collections.abc import Sequence

import torch
from mmengine.config import Config

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.strict import RECORDED, check_classes, check_record
from tcnn_mm.inference.trained_model import fill
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import MODELS


def build_model(
    cfg: Config,
    checkpoint: str | None = None,
    trust: bool = False,
    classes: Sequence[str] = (),
) -> PatchModel:
    """Build the model of a config in eval mode, on the GPU where there is one.

    Args:
        cfg: The experiment.
        checkpoint: Its weights. Defaults to those of `model.pretrained`, with an untrained head.
        trust: See :func:`load_safely`.
        classes: Of the data set that is to be scored, in order; compared with the checkpoint's.

    Raises:
        UserError: The checkpoint is of another network, of other classes, or of patches that are
            cut otherwise.
    """
    model = MODELS.build(dict(cfg.model, pretrained=None) if checkpoint else cfg.model)
    if checkpoint:
        content = load_safely(checkpoint, trust=trust)
        fill(model, content, checkpoint)
        check_classes(content, classes, checkpoint, 'the data set')
        allowed = cfg.get('allowed_differences') or ()
        # Votes of patches are asked of it, which no aggregator changes.
        entries = [entry for entry in RECORDED if entry != 'aggregator']
        check_record(content, model, checkpoint, entries, allowed)
    else:
        model.init_weights()
    return model.cuda().eval() if torch.cuda.is_available() else model.eval()
