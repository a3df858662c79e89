"""The hook that draws maps in a test: probabilities of a calibrated checkpoint."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import Calibration, probabilities
from tcnn_mm.visualization.score_map_hook import ScoreMapHook

CLASSES = ('cat', 'dog')
CURVE = Calibration(0.5, 1.0)


@pytest.fixture
def runner(tmp_path):
    """A runner whose visualizer keeps what it is given."""
    drawn = []

    def draw(image, maps, titles, **options):
        drawn.append((titles, options['probabilities']))
        return np.zeros((4, 4, 3), np.uint8)

    return SimpleNamespace(
        cfg={},
        drawn=drawn,
        iter=0,
        model=SimpleNamespace(backbone=None, set_test_options=lambda **options: None),
        test_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=CLASSES))),
        visualizer=SimpleNamespace(draw_score_maps=draw, _vis_backends={}),
        work_dir=str(tmp_path),
    )


def draw_one(runner, record):
    """Draw an image of scores 0.5 and 0.25 by a checkpoint of this record."""
    hook = ScoreMapHook(long_side=8)
    hook.before_test_epoch(runner)
    if record is not None:
        hook.after_load_checkpoint(runner, dict(meta=dict(tcnn_mm=record)))
    sample = DataSample(metainfo=dict(img_id='a')).set_pred_score(torch.tensor([0.5, 0.25]))
    sample.set_field(torch.tensor([[0.0, 0, 8, 8]]), 'patch_boxes')
    sample.set_field(torch.tensor([[0.5, 0.25]]), 'patch_scores')
    hook.after_test_iter(
        runner, 0, dict(inputs=torch.zeros(1, 3, 8, 8, dtype=torch.uint8)), [sample]
    )
    return runner.drawn[-1]


def test_a_calibrated_checkpoint_gives_probabilities(runner):
    """In the titles and for the colours; None for a class without."""
    record = dict(calibration=dict(cat=list(CURVE), dog=None))
    titles, found = draw_one(runner, record)
    p = float(probabilities(0.5, CURVE))
    assert found == [p, None]
    assert titles == [f'cat, probability {p:.0%}', 'dog, image score 0.25']


@pytest.mark.parametrize('record', [None, {}, dict(calibration={})])
def test_an_older_checkpoint_gives_scores(runner, record):
    """No record, or one without calibration."""
    titles, found = draw_one(runner, record)
    assert found == [None, None] and titles[0] == 'cat, image score 0.5'


def test_a_model_that_scores_otherwise_is_not_calibrated(runner):
    """The curves are of another aggregator's scores."""
    record = dict(calibration=dict(cat=list(CURVE), dog=None), aggregator=dict(type='Other'))
    assert draw_one(runner, record)[1] == [None, None]


def test_a_broken_calibration_is_one_line(runner):
    """What a file holds there is data of unknown shape."""
    with pytest.raises(UserError, match='no table of slope and offset'):
        draw_one(runner, dict(calibration='text'))
