"""Every command, given what it cannot use: one line and a status, no traceback, nothing written."""

import argparse
import errno
import os

import pytest

from tcnn_mm.cli.errors import run_tool, system_error
from tcnn_mm.cli.main import COMMANDS, build_parser, main

# Words of a command line → what its last line says. FILE is a file, DIR a folder.
USAGE = {
    'predict a.jpg --checkpoint c --batch-size 0': '0: it must be at least 1',
    'predict a.jpg --checkpoint c --batch-size x': 'x: not a whole number',
    'predict a.jpg --checkpoint c --batch-size 1.5': '1.5: not a whole number',
    'predict a.jpg --checkpoint c --damping -1': '-1: it must be at least 0',
    'predict a.jpg --checkpoint c --damping nan': 'nan: not a finite number',
    'report DIR --images -1': '-1: it must be at least 0',
    'fit DIR --out o --scales 0.5': '0.5: it must be at least 1',
    'fit DIR --out o --scales inf': 'inf: not a finite number',
    'fit DIR --out o --scales 1e9': '1e9: it must be at most 100',
    'fit DIR --out o --seed -1': '-1: it must be at least 0',
    'fit DIR --out o --seed 4294967296': '4294967296: it must be at most 4.29497e+09',
    'fit DIR --out o --format xml': "invalid choice: 'xml'",
    'check DIR --max-problems -1': '-1: it must be at least 0',
    'check DIR --year 2013': 'invalid choice: 2013',
    'compare DIR --draws 10': '10: it must be at least 100',
    'prelabel DIR --to cvat --out o --patches -1': '-1: it must be at least 0',
    'prelabel DIR --to voc --out o': "invalid choice: 'voc'",
    'audit DIR --count 0': '0: it must be at least 1',
    'suggest --unlabelled DIR --count 0': '0: it must be at least 1',
    'suggest --unlabelled DIR --typical 1.5': '1.5: it must be at most 1',
    'app --checkpoint c --port 0': '0: it must be at least 1',
    'benchmark --limit 0': '0: it must be at least 1',
    'benchmark --repeats 0': '0: it must be at least 1',
    'test c.py x.pth --damping -0.1': '-0.1: it must be at least 0',
    'export c --out o --format jpg': "invalid choice: 'jpg'",
}
ERRORS = {
    'predict a.jpg --checkpoint a.pth --out FILE': 'FILE/overlays: Not a directory; a file',
    'predict a.jpg --checkpoint a.pth --out FILE/o': 'FILE/o',
    'predict in --checkpoint a.pth --out SHUT/o': 'SHUT/o: Permission denied; change its permissi',
    'predict in --checkpoint a.pth --out '
    + 'x' * 300: 'x: File name too long; give a shorter path',
    'predict in --checkpoint none.pth': 'none.pth',
    'predict in --checkpoint DIR': 'DIR',
    'predict in --checkpoint FILE': 'FILE: damaged checkpoint',
    'predict in --checkpoint a.pth --config none.py': 'no config: none.py',
    'predict in --checkpoint a.pth --classes nothing': 'no class nothing; the model has key',
    'predict DIR --checkpoint a.pth': 'DIR: no images',
    'predict none.jpg --checkpoint a.pth': '1 of 1 images could not be predicted',
    'export a.pth --format weights --out FILE/o.pth': 'FILE/o.pth',
    'export a.pth --format weights --out DIR': 'DIR',
    'export none.pth --format weights --out o.pth': 'none.pth',
    'report DIR': 'DIR: no config of a run in this folder',
    'compare DIR': 'DIR: no config of a run in this folder',
    'compare none DIR': 'none: no config of a run in this folder',
    'prelabel none --to cvat --out o': 'none: cannot be read (No such file or directory); give',
    'prelabel DIR --to cvat --out o': 'DIR/predictions.json: cannot be read',
    'prelabel FILE --to coco --out o': 'FILE: broken JSON',
    'prelabel FILE --to coco-results --out o': '--to coco-results and --instances JSON are given',
    'audit none': 'none: no config.py of a fit in this folder; give the folder of a cross-valid',
    'audit DIR': 'DIR: no config.py of a fit',
    'audit FILE': 'FILE: no config.py of a fit',
    'suggest DIR --unlabelled none': 'none: no such folder or image',
    'suggest DIR --unlabelled DIR': 'DIR: no images',
    'suggest DIR --unlabelled in --out o': 'DIR: no checkpoint in this folder; give the folder of',
    'suggest FILE --unlabelled in --out o': 'FILE: damaged checkpoint',
    'suggest none --unlabelled in --out o': 'none',
    'suggest a.pth --unlabelled in --backbone resnet18': '--backbone: a.pth has its own network',
    'suggest a.pth --unlabelled in --out FILE/o': 'FILE/o',
    'suggest --unlabelled in --backbone none --out o': 'no backbone none',
    'report none': 'none: no config of a run in this folder',
    'report FILE': 'FILE: no config of a run in this folder',
    'configs show none': 'none',
    'configs copy tcnn_voc07 --out FILE': 'FILE: exists already',
    'configs copy tcnn_voc07 --out FILE/c.py': 'FILE/c.py: Not a directory; a file is where a fold',
    'configs copy tcnn_voc07 --out none/c.py': 'none/c.py: No such file or directory',
    'weights where none': 'none',
    'check none': 'none',
    'check DIR': 'DIR',
    'check FILE': 'FILE',
    'fit none --out o --backbone minivoc': 'none',
    'fit in --out FILE --backbone minivoc': '',
    'fit in --out FILE/o --backbone minivoc': '',
    'train none --work-dir w': 'no config: none',
    'train DIR --work-dir w': 'no config: DIR',
    'train tcnn_minivoc --work-dir FILE': 'FILE: ',
    'train tcnn_minivoc --work-dir FILE/w': 'FILE/w',
    'test tcnn_minivoc none.pth --work-dir w': 'none.pth',
    'benchmark --images DIR': 'DIR',
    'benchmark --images none': 'none',
    'demo --out FILE': 'FILE',
}


@pytest.fixture
def place(workspace):
    """What the words name."""
    (workspace / 'FILE').write_text('text')
    for name in ('DIR', 'SHUT'):
        (workspace / name).mkdir()
    (workspace / 'SHUT').chmod(0o500)
    yield workspace
    (workspace / 'SHUT').chmod(0o700)


def last_line(words, capsys, status):
    """What a command that ends with a status says last."""
    with pytest.raises(SystemExit) as end:
        main(words.split())
    said = capsys.readouterr()
    assert end.value.code == status, said
    assert 'Traceback' not in said.err + said.out
    return said.err.strip().splitlines()


@pytest.mark.parametrize('words', USAGE)
def test_a_wrong_value_is_wrong_usage(words, capsys):
    """Status 2, before anything is read; the last line names argument and value."""
    line = last_line(words, capsys, 2)[-1]
    assert line.startswith(f'tcnn {words.split()[0]}: error: argument ') and USAGE[words] in line


@pytest.mark.parametrize('words', ERRORS)
def test_what_cannot_be_used_is_one_line(words, place, capsys):
    """Status 1 and `error: …` that names the path; the data are as before."""
    if 'SHUT' in words and os.geteuid() == 0:
        pytest.skip('nothing is shut to root')
    lines = last_line(words, capsys, 1)
    errors = [line for line in lines if line.startswith('error: ')]
    assert len(errors) == 1 and ERRORS[words] in errors[0], lines
    assert (place / 'FILE').read_text() == 'text' and not list((place / 'DIR').iterdir())


def test_every_number_has_a_range():
    """An argument that is `int` or `float` without range is found here."""

    def parsers(parser):
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for child in action.choices.values():
                    yield from parsers(child)

    plain = {
        action.dest
        for parser in parsers(build_parser())
        for action in parser._actions
        if action.type in (int, float) and action.choices is None
    }
    assert plain == {'local_rank'}  # by launchers
    assert {words.split()[0] for words in {**USAGE, **ERRORS}} == {*COMMANDS} - {'env'}


@pytest.mark.parametrize(
    'number, said',
    [
        (errno.ENOSPC, 'No space left on device; free some space, then give the same command'),
        (errno.EROFS, 'Read-only file system; give a path that can be written'),
        (errno.EACCES, 'Permission denied; change its permissions'),
        (errno.ENOTDIR, 'Not a directory; a file is where a folder is needed'),
        (errno.EEXIST, 'File exists; a file is where a folder is needed'),
        (errno.EIO, 'Input/output error'),
    ],
)
def test_what_the_system_refuses_is_one_line(number, said, capsys):
    """With the file where it is known, and what helps."""

    def fail():
        raise OSError(number, os.strerror(number), b'caf\xe9\n')

    with pytest.raises(SystemExit) as end:
        run_tool(fail)
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith(f'error: caf\\xe9\\x0a: {said}')
    assert system_error(OSError(number, os.strerror(number))).startswith(said)
    assert system_error(OSError('of a library')) is None
