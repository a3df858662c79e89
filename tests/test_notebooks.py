"""The notebooks run from the first cell to the last, and are kept without outputs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.time_limit import LONGEST

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells of code of a notebook, with `source` as one text."""
    found = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [
        dict(cell, source=''.join(cell['source'])) for cell in found if cell['cell_type'] == 'code'
    ]


def test_there_are_notebooks() -> None:
    """The tests below have something to test."""
    assert NOTEBOOKS


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    """No output, no count, no data of a run; the kernel is any Python 3."""
    for cell in cells(path):
        assert cell['outputs'] == [] and cell['execution_count'] is None
    meta = json.loads(path.read_text(encoding='utf-8'))['metadata']
    assert meta['kernelspec']['name'] == 'python3' and 'widgets' not in meta


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_plain_python(path: Path) -> None:
    """They compile, without magics; what they import of ours exists."""
    for cell in cells(path):
        compile(cell['source'], f'{path.name}:{cell["id"]}', 'exec')
        for module in re.findall(r'^from (tcnn_mm[\w.]*) import', cell['source'], re.M):
            base = ROOT / module.replace('.', '/')
            assert base.is_dir() or base.with_suffix('.py').is_file(), module


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells, in a folder of its own; it ends with scores and an ONNX file."""
    nbformat = pytest.importorskip('nbformat')
    nbclient = pytest.importorskip('nbclient')
    pytest.importorskip('ipykernel')
    pytest.importorskip('onnxscript')
    monkeypatch.setenv('TCNN_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(
        notebook, timeout=LONGEST, kernel_name='python3', resources={'metadata': {'path': tmp_path}}
    ).execute()
    printed = [
        output.get('text', '')
        for cell in notebook.cells
        if cell.cell_type == 'code'
        for output in cell.outputs
    ]
    off = re.search(r'largest difference of a score: (\S+)', ''.join(printed))
    assert off and float(off.group(1)) <= 1e-4
    assert (tmp_path / 'model.onnx').stat().st_size > 100_000
