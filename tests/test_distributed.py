"""Several gloo processes give what one gives: weights, metric, banks."""

import json
import os
import os.path as osp
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tests.support import commands
from tests.support.runs import CONFIGS
from tests.support.time_limit import LONGEST
from tests.support.tool_module import tool_path

NAME = osp.join(CONFIGS, 'tcnn_minivoc.py')
# Two steps an epoch of 4 images in all, whatever the processes; dropout off.
OPTIONS = [
    'train_cfg.max_epochs=2', 'param_scheduler.milestones=[1]', 'model.head.dropout=0.0',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=11',
    'test_dataloader.batch_size=2', 'model.sampler.grid.scales=[1.0,2.0]', 'log_level=WARNING',
]  # fmt: skip


# A process that this file forks has no script that a worker could be started from.
NO_WORKERS = [
    f'{part}_dataloader.{option}'
    for part in ('train', 'test')
    for option in ('num_workers=0', 'persistent_workers=False')
]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def launch(script, processes, *arguments, cwd, options=(), common=OPTIONS + NO_WORKERS):
    """Run a tool in one process, or in several, each told its place as torchrun tells it."""
    words = [*arguments, *(['--launcher', 'pytorch'] if processes > 1 else [])]
    port = str(free_port())
    jobs = [
        commands.start(
            script, *words, '--cfg-options', *common, *options, cwd=cwd,
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
            LOCAL_WORLD_SIZE=str(processes), MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
        )
        for rank in range(processes)
    ]  # fmt: skip
    for done in [job.wait() for job in jobs]:
        assert done.returncode == 0, done.stderr[-3000:]


def run_script(name, *arguments, cwd, **env):
    """Start one of the launch scripts as a user's shell would."""
    return subprocess.Popen(
        ['bash', tool_path(name), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_same_weights(first, second):
    one, two = (load_safely(path)['state_dict'] for path in (first, second))
    assert one.keys() == two.keys()
    for key in one:
        torch.testing.assert_close(one[key], two[key], rtol=0, atol=1e-5)


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
    paths = [trained / f'w{n}' / 'epoch_2.pth' for n in (1, 2)]
    assert_same_weights(*paths)
    one, two = map(load_safely, paths)
    shares = [
        c['message_hub']['log_scalars']['train/background_share']._log_history[-1]
        for c in (one, two)
    ]
    assert shares[0] == pytest.approx(shares[1])


@pytest.mark.parametrize('processes', [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_metric_is_that_of_one_process(trained, processes):
    """11 images do not divide: AP and every image's scores agree to 1e-6."""
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
    for one, several in zip(first, second, strict=True):
        assert one['mAP'] == pytest.approx(several['mAP'], abs=1e-6)
    for key in ('hit_rate', 'centre_mAP', 'centre_hit_rate'):
        assert first[2][key] == pytest.approx(second[2][key], abs=1e-6), key


def test_a_process_without_patches_does_not_hang(trained):
    """One of two processes gets images without any sampled patch: training goes on."""
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


# What srun does, on one machine: as many processes as tasks, each told its place.
SRUN = """#!/usr/bin/env bash
while [[ $1 == -* ]]; do
    case $1 in --ntasks=*) tasks=${1#*=};; -p) shift;; esac
    shift
done
for ((i = 0; i < tasks; i++)); do
    SLURM_PROCID=$i SLURM_LOCALID=$i SLURM_NTASKS=$tasks SLURM_NODELIST=node1 "$@" &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job" || exit 1; done
"""


@pytest.mark.slow
def test_slurm_tasks_train_the_weights_of_one(trained):
    """tools/slurm_train.sh under a stand-in for srun: two tasks on CPUs, the weights of one."""
    folder = trained / 'bin'
    folder.mkdir()
    for name, text in (('srun', SRUN), ('scontrol', '#!/bin/sh\necho localhost\n')):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    options = ['--cfg-options', *OPTIONS, 'train_dataloader.batch_size=2']
    job = run_script(
        'slurm_train.sh', 'cpu', 'tcnn', NAME, '--work-dir', 'slurm', *options, cwd=trained,
        PATH=f'{folder}:{os.environ["PATH"]}', TASKS='2', GPUS_PER_NODE='0',
        MASTER_PORT=str(free_port()),
    )  # fmt: skip
    output = job.communicate(timeout=LONGEST)[0]
    assert job.returncode == 0, output[-3000:]
    assert_same_weights(trained / 'w1' / 'epoch_2.pth', trained / 'slurm' / 'epoch_2.pth')


def test_slurm_without_srun_is_one_line(tmp_path):
    """--launcher slurm outside srun: the variable that is missing and the script to use."""
    clean = dict.fromkeys(key for key in os.environ if key.startswith('SLURM'))
    done = commands.run('train.py', NAME, '--launcher', 'slurm', cwd=tmp_path, **clean)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith('error: --launcher slurm: SLURM_PROCID')


@pytest.mark.slow
def test_two_machines_train_the_weights_of_one(trained):
    """tools/dist_train.sh on two "machines" of one process each, met at one address and port."""
    options = ['--cfg-options', *OPTIONS, 'train_dataloader.batch_size=2']
    port = str(free_port())
    jobs = [
        run_script(
            'dist_train.sh', NAME, 1, '--work-dir', 'machines', *options, cwd=trained,
            NNODES='2', NODE_RANK=str(rank), MASTER_ADDR='127.0.0.1', PORT=port,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    outputs = [job.communicate(timeout=LONGEST)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], outputs[0][-2000:] + outputs[1][-2000:]
    assert_same_weights(trained / 'w1' / 'epoch_2.pth', trained / 'machines' / 'epoch_2.pth')


@pytest.mark.slow
def test_processes_end_with_a_launcher_that_is_killed(tmp_path):
    """kill -9 of tools/dist_train.sh in the middle of a training: none of its processes is left."""
    job = run_script(
        'dist_train.sh', NAME, 2, '--work-dir', 'w', '--cfg-options', *OPTIONS,
        'train_cfg.max_epochs=10000', cwd=tmp_path, PORT=str(free_port()),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + LONGEST
        while not list((tmp_path / 'w').glob('*/vis_data/*.json')):
            assert job.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        below = psutil.Process(job.pid).children(recursive=True)
        assert len(below) >= 2
    finally:
        job.kill()
    _, alive = psutil.wait_procs(below, timeout=LONGEST)
    assert alive == []


@pytest.mark.slow
def test_with_dropout_the_metric_is_within_the_spread_of_seeds(tmp_path):
    """Two processes have other dropout masks than one: mAP lies where other seeds put it."""
    common = ['train_cfg.max_epochs=20', 'param_scheduler.milestones=[12,17]', *NO_WORKERS]

    def result(name, processes, seed):
        batch = [f'train_dataloader.batch_size={10 // processes}', f'randomness.seed={seed}']
        work = ['--work-dir', name]
        launch('train.py', processes, NAME, *work, cwd=tmp_path, options=batch, common=common)
        checkpoint = tmp_path / name / 'epoch_20.pth'
        launch('test.py', 1, NAME, checkpoint, *work, cwd=tmp_path, common=common)
        return json.loads((tmp_path / name / 'voc_ap.json').read_text())[0]['mAP']

    seeds = [result(f'one{seed}', 1, seed) for seed in range(3)]
    spread = max(0.02, max(seeds) - min(seeds))
    assert min(seeds) - spread <= result('two', 2, 0) <= max(seeds) + spread
