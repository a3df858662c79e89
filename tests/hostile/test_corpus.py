"""Each hostile or broken file ends in a one-line reason, or is counted; nothing of it runs."""

import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

import pytest

from tcnn_mm.errors import UserError
from tcnn_mm.estimator.data_report import report_data
from tcnn_mm.inference.trained_model import load_trained_model
from tests.hostile.checkpoint_files import CHECKPOINTS
from tests.hostile.data_files import DATA
from tests.hostile.other_files import OTHERS
from tests.support.time_limit import LONGEST

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='limits a child process')
SECONDS, MEMORY = 20, 2 << 30
# Read, and counted or noted: what the report says of them.
NOTED = {
    'coco/number_class': 'name is a number, read as text',
    'coco/same_class': "are all 'red': one class",
    'xml/huge': 'box reached over the image and was clipped',
    'images/cut_gif': 'all 5',  # the first frame is whole, and no other is used
}
LINES = 3


def outcome(read, argument):
    """How reading ends: 'refused' or 'read' with its text, or the traceback."""
    signal.alarm(LONGEST)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of CPU: the machine may be full
    try:
        return 'read', '\n'.join(map(str, read(argument)))
    except UserError as error:
        return 'refused', str(error)
    except BaseException:
        return 'failed', traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def too_long(*_):
    raise TimeoutError(f'takes more than {SECONDS} s of CPU, or hangs')


def attack(root: Path) -> dict[str, tuple[str, str]]:
    """Write and read every file, with memory and time limited."""
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, too_long)
    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    found = {}
    (root / 'here').mkdir()
    os.chdir(root / 'here')
    for name, write in DATA.items():
        folder = root / name
        folder.mkdir(parents=True)
        write(folder)
        found[name] = outcome(lambda path: report_data(path, coverage=False), str(folder))
    (root / 'checkpoints').mkdir()
    for name, write in CHECKPOINTS.items():
        path = write(root / 'checkpoints' / name)
        found[f'checkpoints/{name}'] = outcome(load_trained_model, str(path))
    for name, (read, file, content) in OTHERS.items():
        folder = root / 'others' / name
        folder.mkdir(parents=True)
        (folder / file).write_bytes(content)
        where = folder if file == 'manifest.json' else folder / file
        found[f'others/{name}'] = outcome(read, str(where))
    return found


@pytest.fixture(scope='module')
def outcomes(tmp_path_factory):
    """Name → how reading it ended, from one child process; and its folder."""
    root = tmp_path_factory.mktemp('hostile')
    child = os.fork()
    if child == 0:
        status = 1
        try:
            (root / 'found.json').write_text(json.dumps(attack(root)))
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, 'the child was killed'
    return json.loads((root / 'found.json').read_text()), root


def test_each_ends_in_a_reason(outcomes):
    """At most three lines, that name what is wrong, or a count of what is left out."""
    found, _ = outcomes
    assert len(found) >= 80
    failed = {name: text for name, (how, text) in found.items() if how == 'failed'}
    assert not failed, '\n'.join(f'{name}: {text[-600:]}' for name, text in failed.items())
    read = {name: text for name, (how, text) in found.items() if how == 'read'}
    assert set(read) == set(NOTED), '\n'.join(f'{n}: {read[n]}' for n in set(read) - set(NOTED))
    assert all(NOTED[name] in text for name, text in read.items())
    long = {n: t for n, (_, t) in found.items() if len(t.splitlines()) > LINES and n not in read}
    assert not long, long


def test_nothing_runs_and_nothing_is_written(outcomes):
    """No folder that the files would make, and no file outside the corpus."""
    _, root = outcomes
    assert not list(root.rglob('ran'))
    assert os.listdir(root / 'here') == []
    kinds = {'checkpoints', 'found.json', 'here', 'others', *(name.split('/')[0] for name in DATA)}
    assert set(os.listdir(root)) == kinds


def test_no_control_character_reaches_the_screen(outcomes):
    """Reasons are printable, whatever the files hold."""
    found, _ = outcomes
    for name, (_, text) in found.items():
        assert all(c.isprintable() or c == '\n' for c in text), name
