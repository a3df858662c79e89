"""Results as files: their contract, and that they are whole or not there."""

import csv
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.engine import VOCResultsHook
from tcnn_mm.engine.voc_results import write_report, write_scores
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation import VOCActionAP, VOCDevkitAP
from tcnn_mm.evaluation.average_precision import voc_ap

CLASSES = ('cat', 'dog', 'naïve, "quoted"')


def make_rows(n=23):
    random = np.random.default_rng(0)
    return [
        (
            np.flatnonzero(random.random(2) < 0.4).tolist(),
            np.flatnonzero(random.random(2) < 0.2).tolist(),
            random.random(3).astype(np.float32) / 3,
        )
        for _ in range(n)
    ]


class Images(Dataset):
    """Scores and labels stand in for images."""

    metainfo = {'classes': CLASSES}

    def __len__(self):
        return len(make_rows())

    def __getitem__(self, at):
        plain, hard, scores = make_rows()[at]
        sample = DataSample(metainfo={'img_id': f'{at:06d}', 'gt_label_difficult': hard})
        sample.set_gt_label(torch.tensor(plain, dtype=torch.int64))
        return {'inputs': torch.from_numpy(scores), 'data_samples': sample}


class Echo(BaseModel):
    """Gives back the scores that it was shown."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'loss':
            return {'loss': self.weight * torch.stack(list(inputs)).mean()}
        return [s.set_pred_score(x) for s, x in zip(data_samples, inputs, strict=True)]


def build_runner(work_dir, name, evaluator, hook=None, **options):
    loader = {
        'batch_size': 4,
        'num_workers': 0,
        'collate_fn': {'type': 'pseudo_collate'},
        'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        'dataset': Images(),
    }
    return Runner(
        Echo(),
        str(work_dir),
        test_dataloader=loader,
        test_cfg={},
        test_evaluator=evaluator,
        val_dataloader=loader,
        val_cfg={},
        val_evaluator=evaluator,
        train_dataloader=loader,
        train_cfg={'by_epoch': True, 'max_epochs': 1},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.0}},
        custom_hooks=[{'type': 'tcnn_mm.VOCResultsHook', **(hook or {})}],
        default_scope='mmpretrain',
        experiment_name=name,
        log_level='WARNING',
        **options,
    )


BOTH = [{'type': 'tcnn_mm.VOCDevkitAP', 'mode': mode} for mode in ('voc07', 'voc10')]


def read_back(folder, suffix=''):
    with open(folder / f'voc_ap{suffix}.json', encoding='utf-8') as file:
        reports = json.load(file)
    with open(folder / f'image_scores{suffix}.csv', encoding='utf-8', newline='') as file:
        head, *rows = csv.reader(file)
    return reports, head, rows


def test_a_test_writes_the_contract(tmp_path):
    """Runner.test(): a list with one entry per metric; AP recomputed from the CSV is the JSON's."""
    found = build_runner(tmp_path, 'results_test', BOTH).test()
    reports, head, rows = read_back(tmp_path)
    assert [r['metric'] for r in reports] == ['voc07', 'voc10']
    assert head == ['id', *CLASSES]
    assert [row[0] for row in rows] == [f'{i:06d}' for i in range(23)]
    scores = np.array([[float(x) for x in row[1:]] for row in rows])
    labels = np.array([image_labels(plain, hard, 3) for plain, hard, _ in make_rows()])
    for report in reports:
        assert set(report) == {'metric', 'mAP', 'classes', 'images'}
        assert report['images'] == 23
        assert 100 * report['mAP'] == pytest.approx(found[f'{report["metric"]}/mAP'])
        assert list(report['classes']) == list(CLASSES)
        for k, name in enumerate(CLASSES[:2]):
            entry = report['classes'][name]
            ap = voc_ap(scores[:, k], labels[:, k], report['metric'])
            assert entry['ap'] == pytest.approx(ap, abs=1e-12, rel=0)
            assert entry['positives'] == (labels[:, k] == 1).sum()
            assert entry['difficult'] == (labels[:, k] == 0).sum()
        assert report['classes'][CLASSES[2]] == {'ap': None, 'positives': 0, 'difficult': 0}


def test_validation_in_training_has_files_of_its_own(tmp_path):
    """A val epoch never touches what a test wrote; nothing else is left in the folder."""
    build_runner(tmp_path, 'results_train', BOTH, {'out_dir': 'results'}).train()
    folder = tmp_path / 'results'
    assert sorted(os.listdir(folder)) == ['image_scores_val.csv', 'voc_ap_val.json']
    reports, _, rows = read_back(folder, '_val')
    assert len(reports) == 2 and len(rows) == 23


def test_error_before_the_first_image(tmp_path):
    """No VOCDevkitAP: the error names hook and evaluator and what to add, in test and training."""
    runner = build_runner(tmp_path, 'results_none', [{'type': 'VOCAveragePrecision'}])
    runner.model.test_step = None  # would fail, were it called
    with pytest.raises(UserError, match='VOCResultsHook: test_evaluator .* VOCAveragePrecision'):
        runner.test()
    with pytest.raises(UserError, match=r"mode='voc07'\) to val_evaluator"):
        runner.train()
    assert not (tmp_path / 'voc_ap.json').exists()


def fake_runner(work_dir, metrics):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = {'classes': CLASSES}
    evaluator.process([Images()[i]['data_samples'].set_pred_score([0.1] * 3) for i in range(3)])
    evaluator.evaluate(3)
    loop = SimpleNamespace(evaluator=evaluator)
    return SimpleNamespace(
        work_dir=str(work_dir), test_loop=loop, logger=MMLogger.get_current_instance()
    )


class Other(BaseMetric):
    default_prefix = 'other'

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return {}


def test_other_metrics_are_passed_over(tmp_path):
    """Only VOCDevkitAP metrics are written, wherever they stand in the list."""
    runner = fake_runner(tmp_path, [Other(), VOCDevkitAP('voc10'), Other()])
    VOCResultsHook().after_test_epoch(runner)
    assert [r['metric'] for r in read_back(tmp_path)[0]] == ['voc10']


def test_a_submission_alone_has_scores_but_no_ap(tmp_path):
    """VOCSubmission only: an empty list in place of AP, the table, and the archive beside it."""
    (tmp_path / 'voc_ap.json').write_text('[{"metric": "of another test"}]')
    submission = {'type': 'tcnn_mm.VOCSubmission', 'comp': 'comp2', 'out_dir': 'server'}
    found = build_runner(tmp_path, 'results_server', [submission]).test()
    assert found == {'submission/items': 23}
    reports, head, rows = read_back(tmp_path)
    assert reports == [] and head == ['id', *CLASSES] and len(rows) == 23
    assert (tmp_path / 'server' / 'results_comp2_test.tar.gz').is_file()
    lines = (tmp_path / 'server' / 'results/VOC2012/Main/comp2_cls_test_cat.txt').read_text()
    assert [line.split() for line in lines.splitlines()] == [row[:2] for row in rows]


def test_persons_have_rows_of_their_own(tmp_path):
    """VOCActionAP: ids are `image/number`, and the report counts both."""
    evaluator = Evaluator([VOCActionAP()])
    evaluator.dataset_meta = {'classes': ('jumping', 'phoning')}
    samples = []
    for number in (1, 2):
        sample = DataSample(metainfo={'img_id': 'a', 'object_index': number})
        sample.set_gt_label(torch.tensor([number - 1]))
        samples.append(sample.set_pred_score(torch.tensor([0.25, 0.5])))
    evaluator.process(samples)
    evaluator.evaluate(2)
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        test_loop=SimpleNamespace(evaluator=evaluator),
        logger=MMLogger.get_current_instance(),
    )
    VOCResultsHook().after_test_epoch(runner)
    (report,), _, rows = read_back(tmp_path)
    assert (report['metric'], report['images'], report['persons']) == ('voc_action', 1, 2)
    assert rows == [['a/1', '0.25', '0.5'], ['a/2', '0.25', '0.5']]


def test_only_the_main_process_writes(tmp_path, monkeypatch):
    """Other ranks leave the folder alone."""
    runner = fake_runner(tmp_path, [VOCDevkitAP('voc10')])
    monkeypatch.setattr('tcnn_mm.engine.voc_results.is_main_process', lambda: False)
    VOCResultsHook().after_test_epoch(runner)
    assert os.listdir(tmp_path) == []


def test_interrupted_writes_leave_the_old_file(tmp_path):
    """A run that dies while writing leaves the last complete file, and no litter."""
    path = tmp_path / 'image_scores.csv'
    write_scores(path, ['a'], ['cat'], np.array([[0.5]]))
    with pytest.raises(ValueError):  # the second id has no row
        write_scores(path, ['a', 'b'], ['cat'], np.array([[0.7]]))
    assert path.read_text() == 'id,cat\na,0.5\n'
    with pytest.raises(ValueError):  # JSON has no nan
        write_report(tmp_path / 'voc_ap.json', [{'mAP': float('nan')}])
    assert os.listdir(tmp_path) == ['image_scores.csv']


def test_scores_keep_every_digit(tmp_path):
    """Reading gives the same floats, also tiny, huge and infinite ones."""
    scores = np.array([[1 / 3, 1e-300, np.float32(0.1)], [-np.inf, 1e22, 5e-324]])
    write_scores(tmp_path / 's.csv', ['a', 'b,c'], CLASSES, scores)
    with open(tmp_path / 's.csv', encoding='utf-8', newline='') as file:
        _, *rows = csv.reader(file)
    assert [row[0] for row in rows] == ['a', 'b,c']
    assert np.array_equal([[float(x) for x in row[1:]] for row in rows], scores)
