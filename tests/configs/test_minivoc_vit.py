"""The small vision transformer of MiniVOC: source task, crops and tiles are one network."""

import os.path as osp

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from tests.support.runs import CONFIGS

NAMES = ('source_minivoc_vit', 'tcnn_minivoc_vit', 'tcnn_minivoc_vit_dense')


@pytest.fixture(scope='module')
def models():
    """The three configs' models; the two that transfer have the source network's weights."""
    init_default_scope('mmpretrain')
    built = []
    torch.manual_seed(0)
    for name in NAMES:
        cfg = Config.fromfile(osp.join(CONFIGS, 'mixing', f'{name}.py'))
        built.append(MODELS.build(dict(cfg.model, pretrained=None)).eval())
    source, crop, dense = built
    source.init_weights()
    for model in (crop, dense):
        model.backbone.load_state_dict(source.backbone.state_dict())
    dense.head.load_state_dict(crop.head.state_dict())
    return source, crop, dense


def test_a_patch_has_the_feature_of_the_source_task(models):
    """The same pixels, the same pooling: what the source's classifier reads is the feature."""
    source, crop, _ = models
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    ready = source.data_preprocessor(dict(inputs=[image.flip(0)], data_samples=None))['inputs']
    with torch.no_grad():
        (theirs,) = source.extract_feat(ready)
        ours = crop.encoder.describe_patches(image, crop.sampler.grid((64, 64))[:1])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_dense_mode_equals_crops_on_an_image_of_one_patch(models):
    """One tile is one crop; both grids are the same windows, also on a scene."""
    _, crop, dense = models
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    windows = dense.sampler.grid((64, 64))
    largest = windows[(windows.shapes == 64).all(1)]
    assert len(largest) == 1
    with torch.no_grad():
        features = [model.encoder.describe_patches(image, largest) for model in (crop, dense)]
    torch.testing.assert_close(*features, rtol=0, atol=1e-5)
    assert (crop.sampler.grid((120, 160)).xyxy == dense.sampler.grid((120, 160)).xyxy).all()
    assert (dense.encoder.map_stride, dense.encoder.map_side, dense.encoder.dense_tile) == (
        8, 8, 64,
    )  # fmt: skip
