"""Whatever ends a report: the page before it stays, and the same command writes the whole one."""

import errno
import os
import signal

import pytest

from tcnn_mm.cli.main import main
from tcnn_mm.reports import report
from tcnn_mm.reports.report import write_report
from tests.support.tiny_run import killed

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')


@pytest.fixture(autouse=True)
def one_page(monkeypatch):
    """A page that is rendered in no time: what is written is the matter."""
    monkeypatch.setattr(report, 'collect_report', lambda *arguments: None)
    monkeypatch.setattr(report, 'render_page', lambda found: 'a new page\n' * 20_000)


def fault(monkeypatch, moment, action):
    """Do `action` while the page is written (half of it is), before it is renamed, or after."""
    replace, opened = os.replace, open

    def replacement(*paths):
        if moment == 'after':
            replace(*paths)
        action()

    def half(path, *arguments, **options):
        file = opened(path, *arguments, **options)

        def write(text):
            file.write(text[: len(text) // 2])
            file.flush()
            action()

        return Writing(file, write) if '.tmp' in str(path) else file

    if moment == 'half':
        monkeypatch.setattr('tcnn_mm.checkpoints.atomic_write.open', half, raising=False)
    else:
        monkeypatch.setattr(os, 'replace', replacement)


class Writing:
    """A file with another `write`."""

    def __init__(self, file, write):
        self.file, self.write = file, write

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


@needs_fork
@pytest.mark.parametrize('before', [None, 'an older page\n'])
@pytest.mark.parametrize('moment', ['half', 'before', 'after'])
def test_a_killed_report_is_whole_or_as_before(trained_run, tmp_path, before, moment):
    """The same command ends with the page alone, without a temporary file."""
    page = tmp_path / 'report.html'
    if before:
        page.write_text(before)

    def work():
        with pytest.MonkeyPatch.context() as patch:
            fault(patch, moment, lambda: os.kill(os.getpid(), signal.SIGKILL))
            write_report(trained_run.folder, page)

    assert killed(work)
    whole = 'a new page\n' * 20_000
    left = page.read_text() if page.exists() else None
    assert left == (whole if moment == 'after' else before)
    write_report(trained_run.folder, page)
    assert page.read_text() == whole and os.listdir(tmp_path) == ['report.html']


@pytest.mark.parametrize('moment', ['half', 'before'])
def test_a_full_disk_is_one_line(trained_run, tmp_path, capsys, moment):
    """The page before it stays; nothing else does."""
    page = tmp_path / 'report.html'
    page.write_text('an older page\n')

    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        fault(patch, moment, full)
        with pytest.raises(SystemExit):
            main(['report', str(trained_run.folder), '--out', str(page)])
    said = capsys.readouterr().err.strip().splitlines()
    assert f'{page}: No space left on device' in said[-1] and 'Traceback' not in ''.join(said)
    assert page.read_text() == 'an older page\n' and os.listdir(tmp_path) == ['report.html']
