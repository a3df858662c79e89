"""The command `tcnn`: help, version, exit status, and what importing it costs."""

import re
import subprocess
import sys

import pytest

import tcnn_mm
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.main import COMMANDS, build_parser
from tests.support.commands import run


def test_help_lists_every_command_without_heavy_imports(tmp_path):
    """`tcnn --help` names all commands; neither torch nor mmpretrain is imported for it."""
    script = (
        'import sys\nfrom tcnn_mm.cli.main import main\n'
        'try:\n    main(["--help"])\nexcept SystemExit:\n    pass\n'
        'print(sorted({"torch", "mmpretrain"} & set(sys.modules)))'
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == '[]'
    assert re.findall(r'^    (\w+)', done.stdout, re.M)[: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize('words', [['train', 'nothing'], ['test', 'nothing', 'x.pth']])
def test_a_mistyped_config_is_told_before_heavy_imports(words, monkeypatch, capsys):
    """The toolbox's models and runner are not imported to say that there is no such config."""
    monkeypatch.setitem(sys.modules, 'mmengine.runner', None)
    args = build_parser().parse_args(words)
    with pytest.raises(SystemExit):
        run_tool(lambda: args.run(args))
    assert capsys.readouterr().err.startswith('error: no config: nothing\n')


@pytest.mark.parametrize('name', COMMANDS)
def test_help_of_each_command_is_alike(name, capsys):
    """A sentence, examples that begin with `tcnn NAME`, then the arguments; status 0."""
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args([name, '--help'])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert text.startswith(f'usage: tcnn {name}')
    summary, examples = text.split('\n\n')[1:3]
    assert summary.endswith('.') and len(summary.splitlines()) == 1
    assert all(
        line.startswith(f'    tcnn {name}') for line in examples.splitlines() if 'tcnn' in line
    )


def test_version(capsys):
    """`tcnn --version` is the package's."""
    with pytest.raises(SystemExit):
        build_parser().parse_args(['--version'])
    assert capsys.readouterr().out == f'tcnn_mm {tcnn_mm.__version__}\n'


@pytest.mark.parametrize('arguments', [[], ['nothing'], ['train'], ['weights'], ['export', 'x']])
def test_wrong_usage_is_status_2(arguments, capsys):
    """No command, an unknown one, a missing argument."""
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(arguments)
    assert end.value.code == 2 and 'usage: tcnn' in capsys.readouterr().err


def test_a_user_error_is_one_line_and_status_1(tmp_path):
    """The file that is missing, on stderr, without a traceback or warnings of imports."""
    done = run('tcnn', 'predict', 'x.png', '--checkpoint', 'none.pth', cwd=tmp_path)
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith('error: ') and 'none.pth' in first
