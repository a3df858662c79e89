"""The simulation of labelling: closed forms, no image labelled twice, the same start for all."""

import json

import numpy as np
import pytest
import torch

from tcnn_mm.analysis import suggest_simulation as module
from tcnn_mm.analysis.suggest_figures import RANDOM, labels_needed, mean_curve, simulation_lines
from tcnn_mm.analysis.suggest_simulation import (
    METHODS,
    Images,
    next_images,
    read_banks,
    reduction,
    run_simulation,
    simulate,
    train_head,
    vote,
)
from tcnn_mm.errors import UserError


def images(number, seed, classes=3, dims=6, windows=4):
    """Images of one class each, whose windows show it or background."""
    random = np.random.default_rng(seed)
    image_of = np.repeat(np.arange(number), windows)
    of_image = np.arange(number) % classes
    labels = np.where(random.random(number * windows) < 0.5, of_image[image_of], classes)
    features = np.eye(dims)[labels] * 3 + 0.3 * random.standard_normal((len(labels), dims))
    whole = np.eye(dims)[of_image] + 0.1 * random.standard_normal((number, dims))
    truth = np.where(np.eye(classes)[of_image] > 0, 1, -1)
    return Images(
        torch.from_numpy(features).float(), labels, image_of, whole.astype(np.float32), truth
    )


@pytest.fixture
def quick(monkeypatch):
    """Few steps."""
    monkeypatch.setattr(module, 'STEPS', 60)


def test_how_many_labels_a_curve_needs():
    """Linear in log(labels) between points; a dip does not count; None beyond the last point."""
    curve = {20: 0.5, 40: 0.6, 80: 0.55, 160: 0.8}
    assert labels_needed(curve, 0.4) == 20 and labels_needed(curve, 0.9) is None
    assert labels_needed(curve, 0.55) == pytest.approx(20 * 2**0.5)
    assert labels_needed(curve, 0.7) == pytest.approx(80 * 2**0.5)
    assert labels_needed(curve, 0.8) == pytest.approx(160)


def test_principal_components():
    """Root mean square 1, the share of the variance, components of a plane in space."""
    random = np.random.default_rng(0)
    plane = random.standard_normal((500, 2)) @ random.standard_normal((2, 5)) * 7 + 3
    found = reduction(plane, 2)
    out = (plane - found.mean) @ found.basis
    assert found.share == pytest.approx(1) and np.sqrt((out**2).mean()) == pytest.approx(1, 1e-2)
    assert reduction(plane, 1).share < 1 and reduction(plane, 9).basis.shape == (5, 5)


def test_a_head_learns_the_windows():
    """Images of its class score highest; draws of dropout have their mean near it."""
    pool = images(30, 0)
    head = train_head(pool, np.arange(12), 0, 150)
    (scores,) = vote(head, pool)
    assert (scores.argmax(1) == pool.labels.argmax(1)).mean() > 0.8
    assert vote(head, pool, torch.ones(2, module.HIDDEN)).shape == (2, 30, 3)
    (by_hand,) = vote(head, images(1, 5))
    with torch.no_grad():
        votes = head(images(1, 5).features).softmax(1)[:, :3]
    assert by_hand[0] == pytest.approx((votes**module.POWER).mean(0).numpy(), rel=1e-5)


@pytest.mark.parametrize('method', METHODS)
def test_no_image_is_asked_for_twice(method):
    """Each method names as many new images as it is asked for, the same ones again."""
    pool, labelled = images(40, 1), np.array([3, 8, 20, 21, 30])
    head = train_head(pool, labelled, 0, 20)
    found = next_images(method, pool, labelled, 10, head, 0)
    assert len({*found.tolist(), *labelled.tolist()}) == 15
    assert np.array_equal(found, next_images(method, pool, labelled, 10, head, 0))


def test_methods_start_alike_and_record_every_size(quick):
    """The same AP at the first size; sizes as asked for; another start for another seed."""
    pool, test = images(40, 1), images(20, 2)
    sizes = {RANDOM: [4, 8, 16], 'typical': [4, 8]}
    records = [*simulate([RANDOM, 'typical'], pool, test, 0, sizes)]
    assert [(r['method'], r['labelled']) for r in records] == [
        (RANDOM, 4), (RANDOM, 8), (RANDOM, 16), ('typical', 4), ('typical', 8),
    ]  # fmt: skip
    assert records[0]['aps'] == records[3]['aps']
    curve = mean_curve(records, 'typical', [0, 2])
    assert [*curve] == [4, 8] and curve[4] == [np.mean([records[0]['aps'][k] for k in (0, 2)])]


def test_runs_are_kept(quick, tmp_path, monkeypatch):
    """A second command makes only what is missing; random goes on to twice the last size."""
    banks = images(40, 1), images(20, 2), ['a', 'b', 'c']
    monkeypatch.setattr(module, 'read_banks', lambda config: banks)
    records, classes = run_simulation('c.py', str(tmp_path), [RANDOM], [0, 1], [4, 8])
    assert classes == ['a', 'b', 'c'] and [r['labelled'] for r in records] == [4, 8, 16] * 2
    monkeypatch.setattr(module, 'train_head', lambda *_: pytest.fail('trained again'))
    again, _ = run_simulation('c.py', str(tmp_path), [RANDOM], [1], [4, 8])
    assert again == records[3:]
    assert len(json.loads((tmp_path / 'simulation.json').read_text())) == 6
    with pytest.raises(UserError, match='--sizes 80: the pool has 40 images'):
        run_simulation('c.py', str(tmp_path), [RANDOM], [1], [4, 80])


def test_the_table_says_how_many_random_images_are_needed():
    """Mean, range over the seeds, and the labels that random choice needs."""
    records = [
        dict(method=method, seed=seed, labelled=size, aps=[ap, float('nan')])
        for method, size, ap, seed in (
            (RANDOM, 20, 0.4, 0), (RANDOM, 20, 0.6, 1), (RANDOM, 80, 0.8, 0), (RANDOM, 80, 0.8, 1),
            ('typical', 20, 0.65, 0), ('typical', 80, 0.9, 0),
        )
    ]  # fmt: skip
    lines = simulation_lines(records, [RANDOM, 'typical'], [0])
    assert lines[1].split() == ['20', '50.0', '(40.0–60.0)', '65.0', '(65.0–65.0)', '=40']
    assert lines[2].endswith('90.0 (90.0–90.0) =>80')


def test_a_config_without_folds(tmp_path):
    """Says which fit is needed."""
    (tmp_path / 'config.py').write_text('classes = ("a",)\n')
    with pytest.raises(UserError, match='needs a fit with folds and with test images: tcnn fit'):
        read_banks(str(tmp_path / 'config.py'))
