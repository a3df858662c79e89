"""Several gloo processes give what one gives: weights, metric, banks."""

import json
import os
import os.path as osp
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from runs import CONFIGS

from tcnn_mm.engine.checkpoint import load_safely

TOOLS = osp.join(osp.dirname(CONFIGS), 'tools')
NAME = osp.join(CONFIGS, 'tcnn_minivoc.py')
# Two steps an epoch of 4 pictures in all, whatever the processes; dropout off.
OPTIONS = [
    'train_cfg.max_epochs=2', 'param_scheduler.milestones=[1]', 'model.head.dropout=0.0',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=11',
    'test_dataloader.batch_size=2', 'model.sampler.grid.scales=[1.0,2.0]', 'log_level=WARNING',
]  # fmt: skip


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def launch(script, processes, *arguments, cwd, options=(), common=OPTIONS):
    """Run a tool in one process, or in several under torchrun."""
    path = osp.join(TOOLS, script)
    command = [sys.executable, path]
    flags = []
    if processes > 1:
        port = f'--master_port={free_port()}'
        command = [
            sys.executable,
            '-m',
            'torch.distributed.run',
            port,
            f'--nproc_per_node={processes}',
            path,
        ]
        flags = ['--launcher', 'pytorch']
    command += [*map(str, arguments), *flags, '--cfg-options', *common, *options]
    env = dict(os.environ, OMP_NUM_THREADS='1')
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Work dirs of the same training by 1 and by 2 processes."""
    root = tmp_path_factory.mktemp('dist')
    for n in (1, 2):
        batch = [f'train_dataloader.batch_size={4 // n}']
        launch('train.py', n, NAME, '--work-dir', f'w{n}', cwd=root, options=batch)
    return root


def test_two_processes_train_the_weights_of_one(trained):
    """Dropout 0, the same total batch: the same head to 1e-5, the same count of patches."""
    one, two = (load_safely(trained / f'w{n}' / 'epoch_2.pth') for n in (1, 2))
    for key in one['state_dict']:
        torch.testing.assert_close(
            one['state_dict'][key], two['state_dict'][key], rtol=0, atol=1e-5
        )
    shares = [
        c['message_hub']['log_scalars']['train/background_share']._log_history[-1]
        for c in (one, two)
    ]
    assert shares[0] == pytest.approx(shares[1])


@pytest.mark.parametrize('processes', [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_metric_is_that_of_one_process(trained, processes):
    """11 pictures do not divide: AP and every image's scores agree to 1e-6."""
    checkpoint = trained / 'w1' / 'epoch_2.pth'
    results = []
    for n in (1, processes):
        launch('test.py', n, NAME, checkpoint, '--work-dir', f't{n}', cwd=trained)
        report = json.loads((trained / f't{n}' / 'voc_ap.json').read_text())
        table = (trained / f't{n}' / 'image_scores.csv').read_text().splitlines()
        scores = np.array([[float(x) for x in line.split(',')[1:]] for line in table[1:]])
        results.append((report, [line.split(',')[0] for line in table], scores))
    (first, ids, a), (second, names, b) = results
    assert ids == names and len(a) == 11
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    assert first[0]['mAP'] == pytest.approx(second[0]['mAP'], abs=1e-6)


def test_a_process_without_patches_does_not_hang(trained):
    """One of two processes gets pictures without any sampled patch: training goes on."""
    options = [
        'train_dataloader.batch_size=1',
        'train_cfg.max_epochs=1',
        'model.sampler.background_share=0.0',
        'model.sampler.grid.scales=[1.0]',
        'train_dataloader.dataset.indices=12',
    ]
    launch('train.py', 2, NAME, '--work-dir', 'empty', cwd=trained, options=options)
    assert (trained / 'empty' / 'epoch_1.pth').is_file()


def test_a_bank_by_two_processes_is_the_bank_of_one(trained):
    """No gaps, no doubles: the same rows and features as by one process."""
    leaf = trained / 'bank.py'
    leaf.write_text(
        f"_base_ = '{osp.join(CONFIGS, '_base_', 'experiments', 'tcnn_minivoc.py')}'\n"
        'train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict('
        "_delete_=True, type='tcnn_mm.FeatureBank', bank='b', flips=True, "
        "source=dict(type='tcnn_mm.MiniVOC', split='train', indices=9, "
        'pipeline={{_base_.pipeline}})))\n'
    )
    bank = 'train_dataloader.dataset.bank='
    kept = [o for o in OPTIONS if not o.startswith('train_dataloader')]
    for n in (1, 2):
        name = [f'{bank}b{n}']
        launch('extract_features.py', n, leaf, cwd=trained, options=name, common=kept)
    one, two = (
        np.fromfile(trained / f'b{n}' / 'features.f16', np.float16).astype(np.float32)
        for n in (1, 2)
    )
    assert one.shape == two.shape and np.abs(one).sum() > 0
    np.testing.assert_allclose(one, two, rtol=2e-3, atol=2e-3)
    labels = [np.load(trained / f'b{n}' / 'rows.npz')['labels'] for n in (1, 2)]
    assert np.array_equal(*labels)
