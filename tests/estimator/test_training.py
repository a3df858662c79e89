"""The training of a fit goes on wherever it was killed."""

import dataclasses
import shutil

import pytest
from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import make_banks, train, write_config
from tests.support.own_data import write_voc
from tests.support.runs import assert_same_state


@pytest.fixture(scope='module')
def fit_config(tmp_path_factory):
    """Config of a fit of two epochs, its banks made and its training done."""
    init_default_scope('mmpretrain')
    folder = tmp_path_factory.mktemp('fit')
    root = write_voc(folder / 'data', count=10)
    plan = make_plan(str(root), 'minivoc', str(folder / 'out'))
    plan = dataclasses.replace(plan, epochs=2)
    path = write_config(plan)
    make_banks(path, plan)
    train(path)
    return folder / 'out' / 'config.py'


def test_a_fit_killed_in_its_validation_validates(fit_config):
    """All epochs are done, the scores of val are not there: they are made, the weights stay."""
    run = fit_config.parent / 'run'
    before = load_safely(run / 'epoch_2.pth')['state_dict']
    scores = run / 'image_scores_val.csv'
    content = scores.read_bytes()
    scores.unlink()
    assert train(str(fit_config)) == str(run / 'epoch_2.pth')
    assert scores.read_bytes() == content
    assert_same_state(load_safely(run / 'epoch_2.pth')['state_dict'], before)


def test_a_half_checkpoint_is_not_the_result_of_a_training(fit_config):
    """It is named; without it, or with an empty `last_checkpoint`, the fit goes on."""
    run = fit_config.parent / 'run'
    last = run / 'epoch_2.pth'
    content, before = last.read_bytes(), load_safely(last)['state_dict']
    last.write_bytes(content[:5000])
    with pytest.raises(UserError, match=r'no whole checkpoint .*epoch_2.pth: damaged'):
        train(str(fit_config))
    last.write_bytes(content)
    (run / 'last_checkpoint').write_text('')
    (run / 'image_scores_val.csv').unlink()
    train(str(fit_config))
    assert (run / 'image_scores_val.csv').is_file()
    shutil.rmtree(run)
    train(str(fit_config))
    assert_same_state(load_safely(last)['state_dict'], before)
