"""A record that was altered is refused in one line by every reader; nothing is silently dropped."""

import copy

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import configured_damping, store_thresholds
from tcnn_mm.checkpoints.record_types import is_number
from tcnn_mm.errors import UserError
from tcnn_mm.inference.trained_model import load_trained_model
from tests.support.small_checkpoint import CLASSES, write_small_checkpoint

NAN, INF = float('nan'), float('inf')
GOOD, PLAIN = dict.fromkeys(CLASSES, 0.5), dict.fromkeys(CLASSES)


@pytest.fixture(scope='module')
def content(tmp_path_factory):
    """Of a checkpoint with thresholds."""
    path = tmp_path_factory.mktemp('made') / 'a.pth'
    write_small_checkpoint(path, thresholds=GOOD)
    return torch.load(path, weights_only=False)


@pytest.mark.parametrize(
    'entry, value',
    [
        *[('dataset_meta', value) for value in (5, 'x', [1])],
        *[
            ('dataset_meta.classes', value)
            for value in (('key', 'key', 'house'), (1, 2, 3), 'abc', 5, [None] * 3, NAN, [{}] * 3,
                          ['key', ['x'], 'z'], ['key', '', 'z'], {'a': 1})
        ],
        *[('tcnn_mm', value) for value in (5, 'x', [1])],
        *[
            ('tcnn_mm.thresholds', value)
            for value in (5, 'x', [0.1] * 3, {'key': 0.1}, {**GOOD, 'no': 0.1},
                          *({**GOOD, 'key': bad} for bad in (NAN, INF, 'x', [1], True, 10**400)))
        ],
        *[('tcnn_mm.damping', value) for value in (NAN, INF, -1, 'x', [1], 10**400, True)],
        *[('tcnn_mm.upright', value) for value in ('x', 5, [NAN])],
        *[
            ('tcnn_mm.trained_on', value)
            for value in (5, 'x', 'a' * 13, [NAN], [[1]], ['a' * 99], {'a': 1})
        ],
        *[('tcnn_mm.thresholds_chosen_on', value) for value in (5, [NAN])],
        *[
            ('tcnn_mm.calibration', value)
            for value in (5, 'x', [1], {'no': None}, {'key': None}, {**PLAIN, 'no': None},
                          *({**PLAIN, 'key': [x, 1]} for x in (NAN, INF, 10**400, True, -1)),
                          *({**PLAIN, 'key': x} for x in (5, 'ab', [1], [1, 2, 3], [], {'a': 1})))
        ],
    ],
)  # fmt: skip
def test_an_altered_record_is_one_line(content, tmp_path, entry, value):
    """The entry, what it is, what is expected; a short line, whatever is in it."""
    changed = copy.deepcopy(content)
    place = changed['meta']
    *keys, last = entry.split('.')
    for key in keys:
        place = place[key]
    place[last] = value
    torch.save(changed, tmp_path / 'b.pth')
    with pytest.raises(UserError, match=rf'b.pth: .*{last}') as refused:
        load_trained_model(tmp_path / 'b.pth', device='cpu')
    assert len(str(refused.value)) < 500 and '\n' not in str(refused.value)
    with pytest.raises(UserError, match=last):
        store_thresholds(tmp_path / 'b.pth', GOOD)


def test_differences_of_huge_records_are_short(content, tmp_path):
    """A million scales in the record: one short line."""
    changed = copy.deepcopy(content)
    changed['meta']['tcnn_mm']['grid'] = dict(scales=[1.0] * 10**6)
    torch.save(changed, tmp_path / 'b.pth')
    with pytest.raises(UserError, match='builds another model of its config .grid: ') as refused:
        load_trained_model(tmp_path / 'b.pth', device='cpu')
    assert len(str(refused.value)) < 600


def test_other_checkpoints_pass(tmp_path):
    """Without a record of ours, whatever their meta holds."""
    for meta in ({}, None, dict(dataset_meta=dict(classes='abc')), dict(classes=5)):
        torch.save(dict(state_dict={}, meta=meta), tmp_path / 'a.pth')
        assert load_safely(tmp_path / 'a.pth')['meta'] == meta


@pytest.mark.parametrize('damping', [NAN, -1, 'x', [1]])
def test_the_damping_of_a_config(damping):
    """A number from 0 on; other evaluators than dicts have none."""
    with pytest.raises(UserError, match='damping=.*expected a number from 0 on'):
        configured_damping(dict(test_evaluator=['Accuracy', dict(damping=damping)]))
    assert configured_damping(dict(test_evaluator=['Accuracy', dict(damping=3)])) == 3.0


def test_numbers():
    """numpy's count; bool, NaN, infinity and what float64 does not hold do not."""
    values = [1, 0.5, torch.tensor(1.0).numpy()[()], True, NAN, INF, 10**400, 'x', None, [1]]
    assert [*map(is_number, values)] == [True] * 3 + [False] * 7
