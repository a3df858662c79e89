"""How a command ends: one line on stderr, and never a traceback for the reader's doing."""

import argparse
import contextlib
import multiprocessing.connection
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tcnn_mm.cli import train
from tcnn_mm.cli.errors import missing_package, run_tool
from tcnn_mm.cli.process_errors import lost_process
from tcnn_mm.errors import UserError
from tests.support.commands import config


def test_a_user_error_is_one_line(capsys):
    """`error: …` and status 1; of a data loader's worker the last line alone."""

    def fail(message):
        raise UserError(message)

    for message in (
        'a.jpg: damaged',
        'Caught UserError in worker 0.\nTrace\nUserError: a.jpg: damaged',
        'Caught InvalidValueError …\nTrace\ntcnn_mm.errors.InvalidValueError: a.jpg: damaged\n',
    ):
        with pytest.raises(SystemExit) as end:
            run_tool(lambda message=message: fail(message))
        assert end.value.code == 1
        assert capsys.readouterr().err == 'error: a.jpg: damaged\n'


def test_other_errors_keep_their_traceback():
    """A fault of ours is not dressed up as the user's."""
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 / 0)
    with pytest.raises(ImportError):
        run_tool(lambda: __import__('no_such_module'))


@pytest.mark.parametrize(
    'words, said',
    [
        ('DataLoader worker (pid 7) is killed by signal: Killed. ', 'process 7.*memory is short'),
        ('DataLoader worker (pid 7) is killed by signal: Bus error. It is', 'process 7.*/dev/shm'),
        ('DataLoader worker (pid 7) is killed by signal: Aborted. ', r'process 7.*\(Aborted\)'),
        ('DataLoader worker (pid(s) 7, 8) exited unexpectedly', 'process 7, 8, .* has ended'),
        ('[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed', 'connect'),
        ('NCCL error …: ncclRemoteError: A call failed', 'the connection to another process'),
    ],
)
def test_a_lost_process_is_one_line(capsys, words, said):
    """A worker or another rank that has ended: who, and why where the system says it."""

    def fail():
        raise RuntimeError(words)

    with pytest.raises(SystemExit):
        run_tool(fail)
    line = capsys.readouterr().err
    assert line.count('\n') == 1 and re.search(said, line) and 'same command again' in line
    with pytest.raises(RuntimeError, match='CUDA out of memory'):
        run_tool(lambda: (_ for _ in ()).throw(RuntimeError('CUDA out of memory')))


@pytest.mark.parametrize(
    'error', [ConnectionResetError(104, 'Connection reset by peer'), EOFError()]
)
def test_a_process_that_ends_while_it_sends_an_image(capsys, monkeypatch, error):
    """The error is one of multiprocessing; those of other connections are not taken for it."""

    def fail(*_):
        raise error

    monkeypatch.setattr('socket.socket.connect', fail)
    with pytest.raises(SystemExit):
        run_tool(lambda: multiprocessing.connection.Client(('127.0.0.1', 9)))
    line = capsys.readouterr().err
    assert 'a process that reads images for this one has ended' in line and 'again' in line
    assert lost_process(error.with_traceback(None)) is None


def test_a_lost_worker_of_a_training_is_told_with_resume(monkeypatch, tmp_path):
    """Also where torch tells it while the run is closed: without --resume it would begin anew."""

    @contextlib.contextmanager
    def closing(cfg):
        yield SimpleNamespace(train=lambda: None)
        raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. ')

    for name in ('tcnn_mm.engine.open_runner.open_runner', 'tcnn_mm.engine.build_bank.build_banks'):
        monkeypatch.setattr(name, closing if 'runner' in name else lambda cfg: None)
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    args = parser.parse_args([config('tcnn_minivoc.py'), '--work-dir', str(tmp_path)])
    with pytest.raises(UserError, match='process 7.* again with --resume'):
        train.run(args)


def test_an_interrupted_command_is_one_word(capsys):
    """Ctrl-C: the status that shells know, no traceback."""

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_tool(stop)
    assert end.value.code == 130 and capsys.readouterr().err == 'interrupted\n'


def test_mmdet_that_is_missing_is_named():
    """The extra of our own package brings it."""
    assert 'tcnn_mm[det]' in missing_package(ImportError('x', name='mmdet'))
    assert missing_package(ImportError('x', name='numpy')) is None


@pytest.mark.skipif(os.name == 'nt', reason='no pipes that break')
def test_a_reader_that_stops_reading_is_no_error():
    """`tcnn configs list | head -1`: no traceback."""
    code = (
        'from tcnn_mm.cli.errors import run_tool\n'
        'run_tool(lambda: [print(i) for i in range(99999)])'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == '0\n'
        process.stdout.close()
        assert process.stderr.read() == ''


@pytest.mark.skipif(os.name == 'nt', reason='a current folder cannot be deleted')
def test_a_deleted_current_folder_is_one_line(tmp_path, monkeypatch, capsys):
    """Before anything runs; Python's own message names no file."""
    (tmp_path / 'gone').mkdir()
    monkeypatch.chdir(tmp_path / 'gone')
    (tmp_path / 'gone').rmdir()
    with pytest.raises(SystemExit):
        run_tool(lambda: 1 / 0)
    monkeypatch.chdir(tmp_path)
    assert 'error: the current folder was deleted; go to' in capsys.readouterr().err
