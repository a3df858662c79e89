"""The remedy that an error names is given as it is printed, and the run then works."""

import shlex
from types import SimpleNamespace

import pytest
import torch

from tests.support.commands import config, run
from tests.support.remedies import words_named

SMALL = [
    'train_cfg.max_epochs=1', 'param_scheduler.milestones=[1]', 'train_dataloader.batch_size=4',
    'train_dataloader.dataset.indices=8', 'test_dataloader.dataset.indices=8',
    'model.sampler.grid.scales=[1.0,2.0]', 'train_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
]  # fmt: skip


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A work dir of one epoch, trained without workers, in a folder with quotes."""
    folder = tmp_path_factory.mktemp('it\'s "a" place')
    train = Train(folder)
    done = train('--work-dir', 'w')
    assert done.returncode == 0, done.stderr[-2000:]
    return SimpleNamespace(folder=folder, train=train, checkpoint=folder / 'w' / 'epoch_1.pth')


TRAIN = ('train', config('tcnn_minivoc.py'))


class Train:
    """`tcnn train` of MiniVOC, cut down; TCNN_DATA and the current folder have quotes."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, options=(), command=TRAIN):
        data = dict(TCNN_DATA=str(self.folder / 'da\'t"a'))
        words = [*command, *words, '--cfg-options', *SMALL, *options]
        return run('tcnn', *words, cwd=self.folder, **data)


def error(done):
    """The one line of a command that failed."""
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert done.returncode == 1 and len(lines) == 1 and 'Traceback' not in done.stderr, done.stderr
    return lines[0]


def works(done):
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_published_weights_start_a_training(trained):
    """--resume of a published file: the error's command, load_from, trains from it."""
    published = trained.folder / "it's.pth"
    export = ('export', trained.checkpoint, '--format', 'weights')
    works(run('tcnn', *export, '--out', published, cwd=trained.folder))
    said = error(trained.train('--resume', published.name, '--work-dir', 'p'))
    words = words_named(said, '--cfg-options')
    assert words == ['--cfg-options', f'load_from={published.name}']
    out = works(trained.train('--work-dir', 'p', options=words[1:]))
    assert f'Load checkpoint from {published.name}' in out.replace('\n', ' ')
    assert words_named(said, '--resume') == ['--resume']
    works(trained.train('--resume', '--work-dir', 'p', options=['train_cfg.max_epochs=2']))
    assert (trained.folder / 'p' / 'epoch_2.pth').is_file()


def test_other_frozen_layers_start_a_training(trained):
    """--resume with another `frozen`: the error's command starts from the weights."""
    options = ['model.frozen=[C1,C2,C3,C4,C5,FC6]', 'train_cfg.max_epochs=2']
    said = error(trained.train('--resume', 'w/epoch_1.pth', '--work-dir', 'f', options=options))
    words = words_named(said, '--cfg-options')
    assert words == ['--cfg-options', 'load_from=w/epoch_1.pth']
    works(trained.train('--work-dir', 'f', options=[*options, *words[1:]]))


def test_early_stopping_is_no_hindrance_to_a_test(trained):
    """A config with mmengine's hook trains and tests."""
    leaf = trained.folder / 'early.py'
    leaf.write_text(
        "_base_ = 'tcnn_mm::_base_/../tcnn_minivoc.py'\n"
        "custom_hooks = [*_base_.custom_hooks, dict(type='EarlyStoppingHook', monitor='mAP')]\n"
    )
    out = works(trained.train('w/epoch_1.pth', '--work-dir', 'e', command=('test', leaf.name)))
    assert 'mAP' in out


def test_the_copy_of_a_run_trains_and_tests(trained):
    """mmengine's dump in the work dir, whose folders have quotes."""
    command = ('test', 'w/tcnn_minivoc.py')
    assert 'mAP' in works(trained.train('w/epoch_1.pth', '--work-dir', 'c', command=command))


def test_a_full_pickle_as_weights(trained):
    """--trust-checkpoint, as the error says, holds for model.pretrained too."""
    content = torch.load(trained.checkpoint, weights_only=False)
    state = {k[9:]: v for k, v in content['state_dict'].items() if k.startswith('backbone.')}
    torch.save(dict(state_dict=state, made_by=shlex.shlex), trained.folder / 'mine.pth')
    options = ['model.pretrained=mine.pth']
    said = error(trained.train('--work-dir', 't', options=options))
    works(
        trained.train(*words_named(said, '--trust-checkpoint'), '--work-dir', 't', options=options)
    )


def test_scaling_the_learning_rate(trained):
    """--auto-scale-lr: the error's option makes it work."""
    said = error(trained.train('--auto-scale-lr', '--work-dir', 'a'))
    option = words_named(said, '--cfg-options')[1]
    out = works(trained.train('--auto-scale-lr', '--work-dir', 'a', options=[option]))
    assert 'LR is set based on batch size of 4' in out


def test_a_part_of_another_type(trained):
    """The former part's arguments are refused; with the key that the error names it trains."""
    kind = 'model.aggregator.type=tcnn_mm.MaxAggregator'
    said = error(trained.train('--work-dir', 'm', options=[kind]))
    key = words_named(said, 'model.aggregator._delete_=True')[0]
    works(trained.train('--work-dir', 'm', options=[key, kind]))
