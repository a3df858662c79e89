"""Write a checkpoint of a bundled config, with its weights and an untrained head."""

from pathlib import Path

import torch

from tcnn_mm import __version__
from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.registry import MODELS


def write_config_checkpoint(name: str, path: Path) -> None:
    """Write it.

    Args:
        name: Of the config. Its frozen layers run in float32.
        path: The file.
    """
    cfg = load_config(name, cfg_options=['model.frozen_dtype=None'])
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    # A head as after training: its outputs are far from uniform.
    torch.nn.init.normal_(model.head.FCb.weight, std=0.05)
    classes = tuple(f'class {k}' for k in range(model.head.num_classes))
    meta = dict(
        cfg=cfg.pretty_text,
        dataset_meta=dict(classes=classes),
        tcnn_mm=dict(version=__version__, **model_record(model.eval())),
    )
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
