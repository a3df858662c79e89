"""A cross-validated fit: no head scores an image that it was trained on; resumable; stated."""

import dataclasses
import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.trained_images import split_prints
from tcnn_mm.errors import UserError
from tcnn_mm.estimator import fit as fits
from tcnn_mm.estimator.cross_validation import read_held_out
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.fold_training import FoldTask, fold_checkpoint, train_folds
from tcnn_mm.estimator.keep_images import store_training_images
from tcnn_mm.estimator.training import read_config
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.inference.predict_dataset import predict_dataset
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.reports.comparison import compare_tests, read_test
from tests.support.own_data import write_csv, write_voc
from tests.support.runs import assert_same_state
from tests.support.tiny_run import killed

THREE = FoldOptions(3)


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch):
    """Fits of two epochs, whose folds are trained in this process."""
    plan = fits.make_plan
    monkeypatch.setattr(
        fits, 'make_plan', lambda *a, **k: dataclasses.replace(plan(*a, **k), epochs=2)
    )
    monkeypatch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Ten images with boxes."""
    return write_voc(tmp_path_factory.mktemp('data') / 'data', count=10)


def run(data, out, folds=THREE):
    """Fit with one scale."""
    return fits.fit(str(data), 'minivoc', str(out), scales=[1.0], folds=folds)


@pytest.fixture
def whole(data, tmp_path_factory, cache={}):  # noqa: B006
    """Folder of a fit by three folds, made once, and its checkpoint."""
    if not cache:
        out = tmp_path_factory.mktemp('whole') / 'out'
        cache.update(out=out, checkpoint=run(data, out))
    return cache['out'], cache['checkpoint']


def left(out):
    """What a fit leaves: weights of all heads, thresholds, results."""
    names = ('folds/1_1', 'folds/1_2', 'folds/1_3', 'run')
    contents = {name: load_safely(out / name / 'epoch_2.pth') for name in names}
    meta = contents['run']['meta']['tcnn_mm']
    files = ('results.txt', 'folds/voc_ap.json', 'folds/image_scores.csv')
    return dict(
        weights={name: content['state_dict'] for name, content in contents.items()},
        chosen={key: meta[key] for key in ('thresholds', 'calibration', 'thresholds_chosen_on')},
        files={name: (out / name).read_bytes() for name in files},
    )


def test_no_head_scores_what_it_was_trained_on(whole):
    """Each score is that of the head of the image's fold, whose training images are the others."""
    out, _ = whole
    held_out = read_held_out(str(out / 'config.py'))
    dataset = FeatureBank(str(out / 'banks/train'), windows=True, test_mode=True)
    ids = [record['img_id'] for record in dataset.manifest['pictures']]
    seen = []
    for fold in range(1, 4):
        lists = out / f'splits/folds/1_{fold}'
        mine = (lists / 'held_out.txt').read_text().split()
        trained = load_safely(out / f'folds/1_{fold}/epoch_2.pth')['meta']['tcnn_mm']['trained_on']
        digests = {
            record['img_id']: record['digest'].rpartition('-')[2][:12]
            for record in dataset.manifest['pictures']
        }
        assert {digests[i] for i in ids if i not in mine} == split_prints(trained)
        model = load_trained_model(str(out / f'folds/1_{fold}/epoch_2.pth')).model
        at = [ids.index(i) for i in mine]
        for found in predict_dataset(model, dataset, indices=at, progress=False):
            assert np.array_equal(found.scores, held_out.scores[0, found.index])
        seen += at
    assert sorted(seen) == list(range(10))


def test_the_last_head_has_all_images_and_thresholds_of_held_out_scores(whole):
    """Trained on all; thresholds and calibration are those of the scores of the folds."""
    out, checkpoint = whole
    held_out = read_held_out(str(out / 'config.py'))
    meta = load_safely(checkpoint)['meta']['tcnn_mm']
    assert len(split_prints(meta['trained_on'])) == 10
    values, _ = best_thresholds(held_out.scores[0], held_out.labels)
    assert list(meta['thresholds'].values()) == values.tolist()
    assert set(meta['calibration']) == {'blue', 'red'}
    assert meta['thresholds_chosen_on'] == (
        '10 images, each scored by a head that did not see it (3 folds)'
    )


def test_training_images_are_kept_with_held_out_scores(whole, tmp_path, monkeypatch):
    """Features of the bank, in the order of the scores; ten images are too few otherwise."""
    out, checkpoint = whole
    assert 'training_images' not in load_safely(checkpoint)['meta']['tcnn_mm']
    monkeypatch.setattr('tcnn_mm.evaluation.training_images.FEWEST_IMAGES', 5)
    copy = shutil.copy(checkpoint, tmp_path / 'a.pth')
    scores = read_held_out(str(out / 'config.py')).scores[0]
    store_training_images(read_config(str(out / 'config.py')), copy, scores)
    record = load_safely(copy)['meta']['tcnn_mm']['training_images']
    assert (record['images'], record['channels']) == (10, 256)
    assert record['scores'] == scores.max(1).tolist()


def test_results_and_report_say_that_they_are_cross_validated(whole):
    """AP with intervals, localization; the page names the folds and draws their maps."""
    out, _ = whole
    lines = (out / 'results.txt').read_text().splitlines()
    assert lines[0].startswith('voc10 on 10 images, cross-validated (3 folds); ')
    assert '95 % interval' in lines[1] and ' to ' in lines[2]
    assert any(line.startswith('localization: ') for line in lines)
    summary = json.loads((out / 'folds/cross_validation.json').read_text())
    assert summary['folds'] == 3 and summary['mean']['low'] <= summary['mean']['ap']
    page = (out / 'report.html').read_text()
    for text in (
        'Classification, cross-validated', 'cross-validated images', 'the head that did not see',
        'fitted on the other folds', '95 % interval', 'cross-validated, 3 folds: as asked for',
    ):  # fmt: skip
        assert text in page, text
    assert 'test images' not in page.partition('<details>')[0]


def test_two_fits_are_compared_by_their_folds(whole):
    """`tcnn compare` reads the work dir of the folds as that of any test."""
    found = read_test(str(whole[0] / 'folds'))
    comparison = compare_tests([found, found], 'voc10', draws=20)
    assert comparison.images == 10 and comparison.difference.mean.value == 0


def test_the_same_command_changes_nothing(data, whole):
    """Every file but locks and lists stays; all that was done is said to be done."""
    out, checkpoint = whole
    before = {p: p.stat().st_mtime_ns for p in out.rglob('*.*') if 'splits' not in p.parts}
    assert run(data, out) == checkpoint
    changed = {p.name for p, t in before.items() if p.stat().st_mtime_ns != t}
    assert changed <= {'cross_validation.json'}


WRITES = ['epoch_1.pth', 'epoch_2.pth', 'image_scores.csv', 'scored.txt', 'cross_validation.json']


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')
@pytest.mark.parametrize(
    'name', [WRITES[2], *(pytest.param(name, marks=pytest.mark.slow) for name in WRITES)]
)
def test_a_kill_at_any_write_of_the_folds(data, whole, tmp_path, monkeypatch, name):
    """kill -9 just before a file of the folds is in its place; the same command ends bit-equal."""
    replace, out = os.replace, tmp_path / 'out'

    def replacement(source, target, **options):
        folder, mine = os.path.split(os.fspath(target))
        if mine == name and 'folds' in folder:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', replacement)
        assert killed(lambda: run(data, out))
    run(data, out)
    assert_same_state(left(out), left(whole[0]))
    assert not [p for p in out.rglob('*') if '.tmp' in p.name or p.suffix in ('.lock', '.part')]


@pytest.mark.slow
def test_processes_train_what_one_process_does(whole):
    """Two processes, each with one thread: the same heads, to the rounding of their sums."""
    out, _ = whole
    path = str(out / 'config.py')
    cfg = read_config(path)
    expected = [load_safely(fold_checkpoint(cfg, FoldTask(1, f))) for f in (1, 2, 3)]
    for fold in (1, 2, 3):
        os.remove(fold_checkpoint(cfg, FoldTask(1, fold)))
    made = train_folds(path, processes=2)
    for file, content in zip(made[0], expected, strict=True):
        state = load_safely(file)['state_dict']
        for key, value in content['state_dict'].items():
            torch.testing.assert_close(state[key], value, rtol=1e-4, atol=1e-6)
    assert (out / 'folds/processes.log').is_file()


@pytest.mark.slow
def test_images_for_test_are_tested_too(tmp_path):
    """A part test of the data is in no fold; results and page have both tables."""
    splits = dict(train=[f'image_{n}' for n in range(8)], test=['image_8', 'image_9'])
    root = write_voc(tmp_path / 'data', splits, count=10)
    run(root, tmp_path / 'out')
    lines = (tmp_path / 'out/results.txt').read_text()
    assert 'voc10 on 2 test images' in lines and 'voc10 on 8 images, cross-validated' in lines
    page = (tmp_path / 'out/report.html').read_text()
    assert '<h3>Classification</h3>' in page and 'Classification, cross-validated' in page


@pytest.mark.slow
def test_image_labels_alone_and_repeats(tmp_path):
    """Without boxes too; two divisions into folds give two tables of scores and one mean AP."""
    root, out = write_csv(tmp_path / 'data', count=10), tmp_path / 'out'
    run(root, out, FoldOptions(2, repeats=2))
    assert (out / 'folds/repeat_2/image_scores.csv').is_file()
    held_out = read_held_out(str(out / 'config.py'))
    assert held_out.scores.shape == (2, 10, 2)
    assert 'cross-validated (2 folds × 2)' in (out / 'results.txt').read_text()
    assert 'mean of 2 divisions into folds' in (out / 'report.html').read_text()


def test_another_number_of_folds_is_another_fit(data, whole):
    """The config in the folder is of other settings: one line."""
    with pytest.raises(UserError, match='has other settings: .*cross_validation.folds'):
        run(data, whole[0], FoldOptions(4))
