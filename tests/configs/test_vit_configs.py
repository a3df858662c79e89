"""The bundled ViT-B/16 in dense mode, at its full size and with random weights."""

import os.path as osp

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from tests.support.runs import CONFIGS


@pytest.mark.slow
def test_dense_mode_equals_the_crop_on_an_image_of_one_patch():
    """tcnn_vit_voc07_dense: an image of 224 pixels is one tile; with the header's options crop
    mode has the same windows."""
    cfg = Config.fromfile(osp.join(CONFIGS, 'mixing', 'tcnn_vit_voc07_dense.py'))
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    settings = dict(cfg.model, pretrained=None)
    dense = MODELS.build(settings).eval()
    cfg.merge_from_dict({'model.feature_mode': 'crop', 'model.sampler.grid.snap': 16})
    crop = MODELS.build(dict(cfg.model, pretrained=None, backbone=dense.backbone)).eval()
    encoder = dense.encoder
    assert (encoder.map_stride, encoder.map_side, encoder.dense_tile) == (16, 14, 224)
    assert (crop.sampler.grid((375, 500)).xyxy == dense.sampler.grid((375, 500)).xyxy).all()

    image = torch.randint(0, 256, (3, 224, 224), dtype=torch.uint8)
    windows = dense.sampler.grid((224, 224))
    one = windows[(windows.shapes == 224).all(1)]
    assert len(one) == 1
    with torch.no_grad():
        features = [model.encoder.describe_patches(image, one) for model in (crop, dense)]
    assert features[0].shape == (1, 768)
    torch.testing.assert_close(*features, rtol=0, atol=1e-4)
