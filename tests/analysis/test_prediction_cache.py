"""A kept pass is the model's own, and is made anew when anything it depends on changes."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from tcnn_mm.analysis.cached_arrays import cached_arrays
from tcnn_mm.analysis.prediction_cache import patch_scores, prediction_recipe
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.metric_settings import metric_settings
from tcnn_mm.evaluation.point_localization import PointLocalization
from tcnn_mm.inference.build_model import build_model
from tcnn_mm.registry import DATASETS
from tests.support.runs import small_config


@pytest.fixture
def cfg(tmp_path):
    init_default_scope('mmpretrain')
    return small_config(tmp_path, images=3)


def test_patch_scores_are_the_models(cfg):
    """Voted by the config's aggregator they are the model's image scores; labels are the set's."""
    torch.manual_seed(0)
    model, dataset = build_model(cfg), DATASETS.build(cfg.test_dataloader.dataset)
    kept = patch_scores(model, dataset)
    assert kept['scores'].dtype == np.float32 and kept['sizes'].sum() == len(kept['scores'])
    first = 0
    for i, size in enumerate(kept['sizes']):
        item = dataset[i]
        sample = model.predict([item['inputs']], [item['data_samples']])[0]
        voted = model.aggregator(torch.from_numpy(kept['scores'][first : first + size]))
        torch.testing.assert_close(voted, sample.pred_score)
        assert kept['ids'][i] == sample.img_id
        assert np.flatnonzero(kept['labels'][i] > 0).tolist() == sample.gt_label.tolist()
        first += size


def test_what_is_kept_is_made_once_for_each_recipe(cfg, tmp_path):
    """The same recipe reads the file; another model or data set makes it anew."""
    made = []

    def get(cfg):
        dataset = cfg.test_dataloader.dataset.to_dict()
        return cached_arrays(
            str(tmp_path / 'kept' / 'a.npz'),
            prediction_recipe(cfg, dataset),
            lambda: made.append(1) or dict(scores=np.arange(3.0)),
        )

    assert get(cfg)['scores'].tolist() == get(cfg)['scores'].tolist() == [0, 1, 2]
    assert len(made) == 1
    cfg.model.aggregator.k = 7  # how patches vote does not change their scores
    get(cfg)
    assert len(made) == 1
    cfg.test_dataloader.dataset.indices = 2
    get(cfg)
    cfg.model.head.hidden_channels = 9
    get(cfg)
    assert len(made) == 3
    assert [path.name for path in (tmp_path / 'kept').iterdir()] == ['a.npz']


def test_a_checkpoint_of_another_network_is_one_line(cfg, tmp_path):
    """The file and the first key that does not fit."""
    state = build_model(cfg).state_dict()
    del state['head.FCb.bias']
    torch.save(dict(state_dict=state), tmp_path / 'c.pth')
    with pytest.raises(UserError, match='c.pth: not of this config .*FCb.bias'):
        build_model(cfg, str(tmp_path / 'c.pth'))


def test_images_behind_a_bank():
    """A bank's images are its source's, of the bank's ids; other sets are images."""
    source = dict(type='tcnn_mm.MiniVOC', split='val')
    assert image_config(source) == source
    assert image_config(dict(type='tcnn_mm.FeatureBank', source=source)) == source
    assert image_config(ConfigDict(source=source, ids='a.txt')) == dict(source, ids='a.txt')


def test_settings_of_a_metric(cfg):
    """Those of the first metric of the type, whether one or several stand in the config."""
    assert metric_settings(cfg)['mode'] == 'voc10'
    assert metric_settings(cfg, PointLocalization)['tolerance'] == 5.8
    cfg.test_evaluator = dict(type='tcnn_mm.VOCDevkitAP', mode='voc07', subset=['a'])
    assert metric_settings(cfg) == dict(mode='voc07', subset=['a'])
    assert metric_settings(cfg, PointLocalization) == {}
