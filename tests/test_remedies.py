"""What a message tells to do exists: no message names a command, option or key that is none."""

import pytest

from tests.support.remedies import Message, entries, messages, problems, reached, users, words_named

# A message of each kind that names what does not exist → what is wrong.
WRONG = {
    'give the same by tcnn learn': 'no command tcnn learn',
    'go on by tcnn fit … --resume': 'tcnn fit has no --resume',
    'go on by tcnn train \0 --resume': 'a value in a command is not quoted: shlex.quote',
    'pass --trust': '--trust: not of train, test',
    'set TCNN_CACHES to a folder': 'nothing reads TCNN_CACHES',
    'docs/mixin.md says how': 'no file docs/mixin.md',
    "pip install 'tcnn_mm[onnx]' for it": 'no extra onnx',
    'use tcnn_mm.Inferencer in Python': 'no tcnn_mm.Inferencer',
    'use mmpretrain.ImageClassifierInferencer instead': 'no mmpretrain.ImageClassifierInferencer',
    'give VOCObjects(allow_emtpy=True) instead': 'VOCObjects takes no allow_emtpy',
    "add dict(type='tcnn_mm.VOCDevkitAP', modes='voc07') to it": 'VOCDevkitAP takes no modes',
    'give meta_info=dict(classes=(…)) then': 'nothing takes meta_info=',
    'set model.head.classes to it': 'no key model.head.classes',
    'set model.sampler.grid.scale to it': 'no key model.sampler.grid.scale',
    'set default_hooks.checkpoints.when here': 'no key default_hooks.checkpoints.when',
    'set optim_wrapper.optimizer.rate=… here': 'no key optim_wrapper.optimizer.rate',
    'set train_dataloader.workers=0 here': 'no key train_dataloader.workers',
}


def test_no_message_names_what_does_not_exist():
    """Commands, their options, variables, files, extras, parts, arguments and keys."""
    wrong = [(m, problem) for m in messages() for problem in problems(m)]
    assert not wrong, '\n'.join(f'{m.path}:{m.line}: {what}: {m.text!r}' for m, what in wrong)


def test_messages_are_found():
    """The check reads messages: more than 1000 of the package and the scripts."""
    assert sum(1 for _ in messages()) > 1000


@pytest.mark.parametrize('text', WRONG)
def test_each_kind_of_what_does_not_exist_is_found(text):
    """A wrong name of each kind is told, and nothing else."""
    assert WRONG[text] in problems(Message('tcnn_mm/engine/epoch_seed.py', 1, text))


def test_commands_that_reach_a_message():
    """By imports, inside functions too; parts that a config names are of train and test."""
    assert {'train', 'test', 'fit', 'predict'} <= {*users('tcnn_mm/checkpoints/loading.py')}
    assert {*users('tcnn_mm/engine/epoch_seed.py')} >= {'train', 'test'}
    assert set(users('tcnn_mm/estimator/plan.py')) == {
        'fit',
        'audit',
        'tools/analysis_tools/audit_simulation.py',
        'suggest',
        'tools/analysis_tools/fold_coverage.py',
        'tools/analysis_tools/suggest_simulation.py',
    }
    assert len(reached(entries()['train'])) > 50


def test_words_that_a_message_tells_to_give():
    """From the command or option on, to the end of the advice; quoted words are one."""
    text = "x: no; make room, then: tcnn train 'a b' --resume (or wait); pass --amp, or none"
    assert words_named(text, 'tcnn train') == ['tcnn', 'train', 'a b', '--resume']
    assert words_named(text, '--amp') == ['--amp']
