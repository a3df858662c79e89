"""Files for the evaluation server: their lines, and AP from them as from memory."""

import tarfile

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import ACTIONS, OTHER
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import VOCActionAP, VOCDevkitAP, VOCSubmission
from tcnn_mm.evaluation.result_files import read_results, result_file
from tests.support.devkit import evaluate


def make_samples(classes, seed=0, count=40, persons=False):
    """Random scores with ties and labels with difficult ones (objects) or several (persons)."""
    random = np.random.default_rng(seed)
    samples, k = [], len(classes)
    for i in range(count):
        meta = dict(img_id=f'2012_{i // (1 + persons):06d}')
        if persons:
            meta['object_index'] = i % 2 + 1
        else:
            meta['gt_label_difficult'] = np.flatnonzero(random.random(k) < 0.1).tolist()
        sample = DataSample(metainfo=meta)
        here = np.flatnonzero(random.random(k) < 0.2)
        sample.set_gt_label(torch.from_numpy(here))
        scores = np.round(random.random(k), 2).astype(np.float32) ** 5
        samples.append(sample.set_pred_score(torch.from_numpy(scores)))
    return samples


def run(metrics, samples, classes, **meta):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=classes, **meta)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def write_class_files(folder, samples, classes, split):
    """Official-looking class files of the samples."""
    folder.mkdir(parents=True)
    for k, name in enumerate(classes):
        rows = []
        for sample in samples:
            hard = k in sample.get('gt_label_difficult', ())
            label = 1 if k in sample.gt_label else 0 if hard else -1
            number = f' {sample.object_index}' if 'object_index' in sample else ''
            rows.append(f'{sample.img_id}{number} {label:2d}\n')
        (folder / f'{name}_{split}.txt').write_text(''.join(rows))


def test_what_is_written(tmp_path):
    """One file a class, `id score` lines in the data set's order, and the same files archived."""
    classes, samples = ('cat', 'dog'), make_samples(('cat', 'dog'), count=3)
    metric = VOCSubmission('comp2', out_dir=str(tmp_path))
    assert run(metric, samples, classes, annotated=False) == {'submission/items': 3}
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob('*') if p.is_file())
    tree = [f'results/VOC2012/Main/comp2_cls_test_{name}.txt' for name in classes]
    assert files == [*tree, 'results_comp2_test.tar.gz']
    lines = (tmp_path / tree[1]).read_text().splitlines()
    assert [line.split()[0] for line in lines] == [s.img_id for s in samples]
    assert [float(line.split()[1]) for line in lines] == [float(s.pred_score[1]) for s in samples]
    with tarfile.open(tmp_path / 'results_comp2_test.tar.gz') as archive:
        assert archive.getnames() == tree
        assert archive.extractfile(tree[0]).read() == (tmp_path / tree[0]).read_bytes()


@pytest.mark.parametrize('packed', [False, True])
def test_classification_survives_the_files(tmp_path, packed):
    """AP of VOCDevkitAP = AP of the written files by the devkit's port, 1e-9 for each class."""
    samples = make_samples(VOC_CLASSES, seed=1)
    ap = VOCDevkitAP('voc10')
    written = VOCSubmission('comp2', split='val', out_dir=str(tmp_path))
    run([ap, written], samples, VOC_CLASSES)
    write_class_files(tmp_path / 'Main', samples, VOC_CLASSES, 'val')
    source = tmp_path / ('results_comp2_val.tar.gz' if packed else 'results')
    found = read_results(str(source))
    assert list(found) == [('comp2', 'val')] and set(found['comp2', 'val']) == set(VOC_CLASSES)
    for name, row in ap.report['classes'].items():
        result = tmp_path / result_file('comp2', 'val', name)
        expected = evaluate(tmp_path / 'Main' / f'{name}_val.txt', result)
        assert row['ap'] == pytest.approx(expected, abs=1e-9, rel=0)
    # Every digit comes back.
    scores = np.stack([list(found['comp2', 'val'][name].values()) for name in VOC_CLASSES], 1)
    assert np.array_equal(scores, ap.scores[2])


def test_actions_survive_the_files(tmp_path):
    """`id objectIdx score` lines; AP again from them; no file of `other`."""
    classes = (*ACTIONS, OTHER)
    samples = make_samples(classes, seed=2, persons=True)
    ap = VOCActionAP()
    run([ap, VOCSubmission('comp10', split='val', out_dir=str(tmp_path))], samples, classes)
    write_class_files(tmp_path / 'Action', samples, ACTIONS, 'val')
    found = read_results(str(tmp_path))['comp10', 'val']
    assert list(found) == sorted(ACTIONS)
    for name, row in ap.report['classes'].items():
        result = tmp_path / result_file('comp10', 'val', name)
        assert result.read_text().splitlines()[1].startswith('2012_000000 2 ')
        expected = evaluate(tmp_path / 'Action' / f'{name}_val.txt', result)
        assert row['ap'] == pytest.approx(expected, abs=1e-9, rel=0)


def test_samples_that_do_not_fit(tmp_path):
    """Persons for comp2, images for comp10, an image twice, another comp: refused."""
    classes = ('cat', 'dog')
    with pytest.raises(UserError, match='comp2 takes images; 2012_000000/1 .* of persons'):
        run(VOCSubmission('comp2'), make_samples(classes, persons=True), classes)
    with pytest.raises(UserError, match='comp10 takes persons; 2012_000000 .* of images'):
        run(VOCSubmission('comp10'), make_samples(classes), classes)
    with pytest.raises(UserError, match='duplicate item 2012_000000'):
        run(VOCSubmission('comp1', out_dir=str(tmp_path)), make_samples(classes)[:1] * 2, classes)
    with pytest.raises(ValueError, match="comp='comp3'; choose from"):
        VOCSubmission('comp3')
    assert not list(tmp_path.iterdir())
