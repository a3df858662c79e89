"""Numbers of the tools have ranges: a wrong one is one line before anything is read."""

import ast
from pathlib import Path

import pytest

from tests.support.tool_module import TOOLS, run_tool_main

# Tool and words → what the last line says.
WRONG = {
    'learning_curve c.py --seeds 0': '--seeds: 0: it must be at least 1',
    'learning_curve c.py --min-steps -1': '--min-steps: -1: it must be at least 0',
    'learning_curve c.py --scratch-minutes nan': '--scratch-minutes: nan: not a finite number',
    'learning_curve c.py --fractions 0.5,2': '--fractions: 2: it must be at most 1',
    'learning_curve c.py --fractions 0.5,,1': '--fractions: : not a number',
    'compare_pointing c.py x.pth --cam-scales 0': '--cam-scales: 0: it must be at least 1',
    'compare_baselines c.py --seeds x': '--seeds: x: not a whole number',
    'sweep_k c.py x.pth --r 0': '--r: 0: it must be at least 0.001',
    'random_weights c.py o.pth --seed -1': '--seed: -1: it must be at least 0',
    'draw_slice d train --out o --count 0': '--count: 0: it must be at least 1',
    'draw_slice d train --out o --count 1 --seed 9999999999': '--seed: 9999999999: it must be at',
    'make_source_classes random --available a --out o --count -5': '--count: -5: it must be at',
    'convert_weights a b --lrn-k 0': '--lrn-k: 0: it must be at least 0.001',
    'browse_patches c.py --limit 0': '--limit: 0: it must be at least 1',
}


@pytest.mark.parametrize('words', WRONG)
def test_a_number_out_of_range_is_wrong_usage(words, monkeypatch, capsys):
    """Status 2 and the argument, the value and its range."""
    name, *arguments = words.split()
    with pytest.raises(SystemExit) as end:
        run_tool_main(monkeypatch, name, *arguments)
    assert end.value.code == 2
    assert f'argument {WRONG[words]}' in capsys.readouterr().err.splitlines()[-1]


def test_no_tool_takes_a_number_without_a_range():
    """`type=int` and `type=float` are in no tool; a new one is found here."""
    plain = [
        f'{path.name}:{node.value.lineno}'
        for path in sorted(Path(TOOLS).rglob('*.py'))
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.keyword)
        and node.arg == 'type'
        and isinstance(node.value, ast.Name)
        and node.value.id in ('int', 'float')
    ]
    assert plain == []
