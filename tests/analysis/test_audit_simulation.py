"""Planted errors, the bank with other annotations, and what is measured of an audit."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tcnn_mm.analysis import audit_figures as figures
from tcnn_mm.analysis.audit_simulation import audit_simulation
from tcnn_mm.analysis.planted_errors import (
    BOX_ERRORS,
    LABEL_ERRORS,
    MOST_SHARED,
    Planted,
    plant_errors,
)
from tcnn_mm.errors import UserError
from tcnn_mm.labelling.audit import Check
from tcnn_mm.patches.geometry import areas, intersections
from tests.labelling.worlds import images_of, make_world
from tests.support.own_data import write_csv, write_voc


def records_of(number=40, boxes=True):
    """Records of two objects each, one of them small."""
    return [
        dict(
            id=f'image_{n}',
            file=f'{n}.jpg',
            size_hw=[100, 100],
            labels=[] if boxes else sorted({n % 4, (n + 1) % 4}),
            boxes=[[0, 0, 30, 30], [50, 50, 99, 99]] if boxes else [],
            box_labels=[n % 4, (n + 1) % 4] if boxes else [],
            difficult=[False, n == 0] if boxes else [],
            truncated=[False, False] if boxes else [],
        )
        for n in range(number)
    ]


@pytest.mark.parametrize('boxes', [True, False])
def test_errors_are_what_they_say_and_nothing_else_changes(boxes):
    """Each error by comparing the records; the same seed draws the same; the input stays."""
    before = records_of(boxes=boxes)
    after, planted = plant_errors(before, 4, 0.2, seed=3)
    assert before == records_of(boxes=boxes)
    assert (after, planted) == plant_errors(before, 4, 0.2, seed=3)
    assert planted != plant_errors(before, 4, 0.2, seed=4)[1]
    units = 79 if boxes else 80  # a difficult object stays
    assert len(planted) == round(0.2 * units) == len({each.image_id for each in planted})
    errors = {each.image_id: each for each in planted}
    assert {each.error for each in planted} == (
        {'flipped', 'removed', 'moved'} if boxes else {'flipped', 'removed', 'added'}
    )
    for old, new in zip(before, after, strict=True):
        error = errors.get(old['id'])
        if error is None:
            assert new == old
            continue
        names = [{*each['labels'], *each['box_labels']} for each in (old, new)]
        assert error.visible == (names[0] != names[1])
        lost, came = names[0] - names[1], names[1] - names[0]
        if error.error in ('flipped', 'removed'):
            assert lost <= {error.truth} and (boxes or lost == {error.truth})
        assert came <= {error.given} - {None}
        if error.error == 'moved':
            (m,) = [m for m in range(2) if old['boxes'][m] != new['boxes'][m]]
            assert error.place == old['boxes'][m] and error.truth == old['box_labels'][m]
            shared = intersections([old['boxes'][m]], [new['boxes'][m]])[0, 0]
            assert shared <= MOST_SHARED * areas([old['boxes'][m]])[0]
            assert np.allclose(areas([new['boxes'][m]]), areas([old['boxes'][m]]))


def test_what_cannot_be_moved_or_flipped_is_not():
    """A box over the image has no other place; one class has no other name."""
    whole = [dict(each, boxes=[[0, 0, 100, 100]] * 2) for each in records_of(20)]
    _, planted = plant_errors(whole, 4, 1.0, seed=0)
    assert 'moved' not in {each.error for each in planted} and planted
    one = [dict(each, box_labels=[0, 0]) for each in records_of(20)]
    assert 'flipped' not in {each.error for each in plant_errors(one, 1, 1.0, seed=0)[1]}


def run_of(world):
    """What an audit reads, of a world."""
    images, scores, labels, folds = images_of(world)
    return SimpleNamespace(images=images, scores=scores, labels=labels, folds=folds)


def test_all_planted_errors_are_found_where_scores_are_right():
    """Precision and recall of 1 within what 20 and 50 images can hold; random: its expectation."""
    world = make_world(number=100)
    for n in range(25):
        world.given[n].pop()
    planted = [
        Planted(f'image_{n}', 'removed', world.truth[n][-1][0], None, None, True) for n in range(25)
    ]
    found = figures.measure(run_of(world), planted)
    assert found['audit'] == dict(
        precision=1.0, recall=1.0, visible_precision=1.0, visible_recall=1.0
    )
    assert found['kinds'] == dict(removed=dict(planted=25, found=25)) and found['right'] == 20
    assert found['random'] == dict(
        precision=0.25, recall=0.5, visible_precision=0.25, visible_recall=0.5
    )


def test_cleanlab_gets_the_same_scores():
    """Its order puts the planted errors first too."""
    pytest.importorskip('cleanlab', reason='cleanlab is not installed')
    world = make_world(number=100)
    for n in range(5):
        world.given[n].pop()
    assert {*figures.cleanlab_order(run_of(world))[:5]} == {f'image_{n}' for n in range(5)}


def test_a_check_names_an_error_by_class_and_place():
    """Another class, or a patch elsewhere, is not it."""
    error = Planted('a', 'flipped', 1, 2, [0, 0, 10, 10], True)
    check = Check(0, 'a', 'wrong label', 2, 1, 0, (5, 5, 20, 20), 0.9, 0.1, 1.0)
    elsewhere = Check(0, 'a', 'wrong label', 2, 1, 0, (11, 11, 20, 20), 0.9, 0.1, 1.0)
    other = Check(0, 'a', 'missing label', None, 3, None, (5, 5, 20, 20), 0.9, 0.1, 1.0)
    assert figures.names(check, error) and not figures.names(elsewhere, error)
    assert not figures.names(other, error) and not figures.names(check, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('write', 'dropped'), [(write_voc, False), (write_voc, True), (write_csv, False)]
)
def test_draws_are_measured_once(tmp_path, monkeypatch, write, dropped):
    """With boxes, without, and dropped; a second call adds what is missing; one bank is made."""
    monkeypatch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)
    root, out = str(write(tmp_path / 'data', count=14)), tmp_path / 'out'
    options = dict(images=10, share=0.2, folds=2, steps=1, image_labels=dropped)
    first = audit_simulation(root, 'minivoc', str(out), draws=1, **options)
    features = (out / 'banks/train/features.f16').stat().st_mtime_ns
    both = audit_simulation(root, 'minivoc', str(out), draws=2, **options)
    assert both[0] == first[0] and [each['seed'] for each in both] == [0, 1]
    assert json.loads((out / 'audits.json').read_text()) == both
    assert (out / 'banks/train/features.f16').stat().st_mtime_ns == features
    assert not list((out / 'draws').iterdir()) and both[0]['images'] == 10
    boxes = write is write_voc and not dropped
    assert {*both[0]['kinds']} <= {*(BOX_ERRORS if boxes else LABEL_ERRORS)}
    with pytest.raises(UserError, match='audits.json: measured with .*; give another --out'):
        audit_simulation(root, 'minivoc', str(out), draws=3, **dict(options, share=0.3))
    (out / 'audits.json').unlink()
    with pytest.raises(UserError, match='15 of 14 images cannot be drawn; give fewer'):
        audit_simulation(root, 'minivoc', str(out), draws=1, **dict(options, images=15))


def test_the_table_has_each_method_and_kind():
    """Means over the draws; a method that is not installed is said to be missing."""
    row = dict(precision=0.5, recall=0.25, visible_precision=0.1, visible_recall=1.0)
    record = dict(
        audit=row, cleanlab=None, random=row, right=7, kinds=dict(moved=dict(planted=4, found=3))
    )
    other = dict(record, audit=dict.fromkeys(row, 0.0), right=8)
    lines = figures.audit_lines([record, other])
    assert lines[2].split() == ['audit', '25.0', '12.5', '5.0', '50.0']
    assert lines[3].split(maxsplit=1) == ['cleanlab', 'not installed: pip install cleanlab']
    assert lines[-2] == 'found in 50 by the audit: moved 6 of 8' and ' 7.5 name ' in lines[-1]
