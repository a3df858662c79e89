"""A small model and images that many tests share."""

import numpy as np
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.registry import MODELS

FROZEN = ('C1', 'C2', 'C3', 'C4', 'C5', 'FC6', 'FC7')


def build_model(num_classes=3, frozen=FROZEN, scales=(1.0, 2.0), dropout=0.0, **options):
    """PatchClassifier on the small net; `sampler` options under `sampler_options`."""
    sampler_options = options.pop('sampler_options', {})
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small'),
            head=options.pop('head', None)
            or dict(
                type='tcnn_mm.AdaptationHead',
                num_classes=num_classes,
                in_channels=256,
                hidden_channels=32,
                dropout=dropout,
            ),
            sampler=dict(
                type='tcnn_mm.PatchSampler',
                grid=dict(type='tcnn_mm.PatchGrid', scales=scales),
                labeler=dict(type='tcnn_mm.PatchLabeler'),
                **sampler_options,
            ),
            frozen=frozen,
            **options,
        )
    )
    model.init_weights()
    return model


def build_dense(backbone, grid, in_channels, mode='dense', **options):
    """PatchClassifier in eval mode on the mean of windows of a frozen backbone's map.

    Args:
        backbone: Module or config.
        grid: Settings of the PatchGrid.
        in_channels: C of the map.
        mode: `feature_mode`.
        **options: Of the PatchClassifier.
    """
    torch.manual_seed(0)
    model = dict(
        type='tcnn_mm.PatchClassifier',
        backbone=backbone,
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(
            type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=in_channels, dropout=0.0
        ),
        sampler=dict(
            type='tcnn_mm.PatchSampler',
            grid=dict(type='tcnn_mm.PatchGrid', **grid),
            labeler=dict(type='tcnn_mm.PatchLabeler'),
        ),
        frozen=('backbone',),
        feature_mode=mode,
    )
    return MODELS.build(model | options).eval()


def make_image(height=60, width=80, seed=0, boxes=((5, 5, 45, 50),), labels=(1,), name='a'):
    """(uint8 tensor, DataSample) as PackPatchInputs gives them."""
    random = np.random.default_rng(seed)
    image = torch.from_numpy(random.integers(0, 255, (3, height, width), dtype=np.uint8))
    sample = DataSample(metainfo=dict(img_id=name))
    sample.set_gt_label(torch.tensor(sorted(set(labels)), dtype=torch.int64))
    sample.set_field(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), 'gt_bboxes')
    sample.set_field(torch.tensor(labels, dtype=torch.int64), 'gt_bboxes_labels')
    sample.set_field(torch.zeros(len(labels), dtype=torch.bool), 'gt_bboxes_difficult')
    return image, sample
