"""A model index like mmpretrain's, with a small ResNet, its config and its weight file."""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import yaml
from mmengine.registry import DefaultScope
from mmpretrain.models import build_backbone

from tcnn_mm.checkpoints import mmpretrain_index

NAME = 'tiny-resnet_8xb32_in1k'
CONFIG = """
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=64))
data_preprocessor = dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], to_rgb=False)
pipeline = [dict(type='LoadImageFromFile'), dict(type='CenterCrop', crop_size=64)]
test_dataloader = train_dataloader = dict(dataset=dict(pipeline=pipeline))
"""


class SmallIndex(NamedTuple):
    """What :func:`write_index` made.

    Attributes:
        content: Of the weight file.
        file: Its name, with the beginning of its sha256.
    """

    content: bytes
    file: str


def tiny_backbone() -> torch.nn.Module:
    """The network of the index, with other weights at each call."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return build_backbone(dict(type='ResNet', depth=18, stem_channels=8, base_channels=8))


def write_index(folder: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> SmallIndex:
    """Put an index into a folder and let it be that of the installed package.

    Args:
        server: URL of the host of the weights.
    """
    state = {f'backbone.{key}': value for key, value in tiny_backbone().state_dict().items()}
    state['head.fc.bias'] = torch.zeros(1000)
    buffer = io.BytesIO()
    torch.save(dict(state_dict=state, meta=dict(mmcls_version='1.0')), buffer)
    content = buffer.getvalue()
    file = f'tiny_20210831-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    result = dict(
        Task='Image Classification',
        Dataset='ImageNet-1k',
        Metrics={'Top 1 Accuracy': 12.5},
    )
    model = dict(Name=NAME, Weights=f'{server}/v0/{file}', Config='c.py', Results=[result])
    foreign = dict(
        model, Name='tiny_3rdparty_in1k', **{'Converted From': dict(Code='https://host/code')}
    )
    folder.mkdir()
    (folder / 'c.py').write_text(CONFIG)
    (folder / 'model-index.yml').write_text(yaml.safe_dump(dict(Import=['metafile.yml'])))
    (folder / 'metafile.yml').write_text(yaml.safe_dump(dict(Models=[model, foreign])))
    monkeypatch.setattr(mmpretrain_index, 'index_folder', lambda: str(folder))
    return SmallIndex(content, file)
