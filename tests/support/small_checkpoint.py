"""Write a checkpoint of a small model as a training run writes it, without the training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from tcnn_mm import __version__
from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.registry import MODELS

CLASSES = ('key', 'fish', 'house')


def small_model_config(**options: Any) -> dict[str, Any]:
    """Config of a PatchClassifier on the shipped weights; `options` replace its entries."""
    model = dict(
        type='tcnn_mm.PatchClassifier',
        backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small'),
        head=dict(
            type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=256, hidden_channels=32
        ),
        sampler=dict(
            type='tcnn_mm.PatchSampler', grid=dict(type='tcnn_mm.PatchGrid', scales=(1.0, 2.0))
        ),
        frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC6', 'FC7'),
        pretrained='tcnn_mm://minivoc_source.pth',
    )
    for key, value in options.items():
        both = isinstance(value, dict) and isinstance(model.get(key), dict)
        model[key] = {**model[key], **value} if both and 'type' not in value else value
    return model


def write_small_checkpoint(
    path: Path,
    thresholds: dict[str, float | None] | None = None,
    classes: Sequence[str] = CLASSES,
    damping: float | None = None,
    upright: bool = False,
    **options: Any,
) -> torch.nn.Module:
    """Write it; returns the built model, with the same weights.

    Args:
        path (Path): The file.
        thresholds (dict, optional): Stored with it.
        damping (float, optional): Stored with it.
        upright (bool): Stored with it where True.
        **options: Of :func:`small_model_config`.
    """
    config = small_model_config(**options)
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    # A head as after training: its outputs are far from uniform.
    torch.nn.init.normal_(model.head.FCb.weight, std=0.3)
    model.eval()
    record = dict(version=__version__, **model_record(model))
    if upright:
        record['upright'] = True
    if thresholds:
        record['thresholds'] = thresholds
    if damping is not None:
        record['damping'] = damping
    # The places that a config named when it was saved are gone.
    config['pretrained'] = '/no/such/folder/weights.pth'
    cfg = Config(
        dict(
            model=config,
            data_root='/no/such/folder',
            default_scope='mmpretrain',
            train_dataloader=dict(dataset=dict(type='tcnn_mm.FeatureBank', bank='/no/such/bank')),
        )
    )
    meta = dict(
        epoch=1,
        seed=0,
        cfg=cfg.pretty_text,
        dataset_meta=dict(classes=tuple(classes)),
        tcnn_mm=record,
    )
    torch.save(dict(meta=meta, state_dict=model.state_dict(), optimizer={}), path)
    return model
