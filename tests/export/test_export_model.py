"""Exported files give the scores of their network, also at sizes they were not traced with."""

import json

import pytest
import torch

from tcnn_mm.errors import UserError
from tcnn_mm.export.export_checkpoint import export_checkpoint
from tcnn_mm.export.export_model import TOLERANCE, export, sample_inputs
from tcnn_mm.export.file_formats import load_program, require_packages
from tcnn_mm.export.plain_networks import plain_network
from tcnn_mm.inference.trained_model import load_trained_model
from tests.support.small_checkpoint import CLASSES, write_small_checkpoint


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'a.pth'
    write_small_checkpoint(path, thresholds=dict.fromkeys(CLASSES, 0.25))
    return path


def skip_without(form):
    try:
        require_packages(form)
    except UserError as error:
        pytest.skip(str(error))


def facts_in(path, form):
    """What the file says of itself."""
    if form == 'onnx':
        import onnx

        props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        return json.loads(props['tcnn_mm'])
    extra = {'tcnn_mm.json': ''}
    with open(path, 'rb') as file:
        torch.export.load(file, extra_files=extra)
    return json.loads(extra['tcnn_mm.json'])


def check(form, part, checkpoint):
    """The written file on inputs of its own, against the network; and what it says."""
    skip_without(form)
    out = checkpoint.with_suffix('.out')
    done = export_checkpoint(checkpoint, str(out), part=part, file_format=form)
    assert len(done.differences) >= 3
    assert max(difference for _, difference in done.differences) <= TOLERANCE
    assert [note[:20] for note in done.notes] == ['trained in crop mode'] * (part == 'dense')
    network = plain_network(load_trained_model(checkpoint).model, part)
    run = load_program(str(out), form)
    if part == 'patch':
        shapes = [(7, 3, 64, 64), (1, 3, 64, 64)]
    else:
        shapes = [(1, 3, 64, 96), (1, 3, 64 + 11 * 16, 64 + 16), (1, 3, 64, 64)]
    for shape in shapes:
        pixels = 255 * torch.rand(shape)
        difference = (run(pixels) - network(pixels)).abs().max()
        assert difference <= TOLERANCE
    facts = facts_in(out, form)
    assert facts == json.loads(json.dumps(done.facts))
    assert facts['outputs'] == [*CLASSES, 'background'] and facts['size'] == 64
    assert facts['thresholds']['key'] == 0.25 and facts['aggregator']['k'] == 5
    assert facts.get('stride') == (16 if part == 'dense' else None)


@pytest.mark.parametrize('form', ['onnx', 'torch-export'])
def test_the_patch_network(form, checkpoint):
    """Any batch; classes, grid and thresholds travel with it."""
    check(form, 'patch', checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize('form', ['onnx', 'torch-export'])
def test_the_dense_network(form, checkpoint):
    """Any height and width of the grid, one row of windows and one window too."""
    check(form, 'dense', checkpoint)


def test_a_file_that_disagrees_is_not_kept(checkpoint, monkeypatch, tmp_path):
    """The check is one: scores that are off raise, and nothing is left."""
    skip_without('torch-export')
    network = plain_network(load_trained_model(checkpoint).model, 'patch')
    monkeypatch.setattr(
        'tcnn_mm.export.export_model.load_program', lambda *_: lambda x: network(x) + 2e-4
    )
    with pytest.raises(RuntimeError, match='scores differ by 0.0002'):
        export(network, 'patch', str(tmp_path / 'x.pt2'), 'torch-export', 64, {})
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


def test_inputs_are_of_several_sizes(checkpoint):
    """The traced size is not the only one that is checked; one patch and one window are."""
    trained = load_trained_model(checkpoint)
    network = plain_network(trained.model, 'dense')
    shapes = [tuple(x.shape) for x in sample_inputs(network, 64)]
    assert len(set(shapes)) == 4 and (1, 3, 64, 64) in shapes
    assert [len(x) for x in sample_inputs(plain_network(trained.model, 'patch'), 8)] == [2, 1, 5]


def test_a_missing_package_is_named(monkeypatch):
    """One line with the command."""
    monkeypatch.setitem(__import__('sys').modules, 'onnxscript', None)
    skip_without('torch-export')
    with pytest.raises(UserError, match=r"onnx\w*: pip install 'tcnn_mm\[export\]'"):
        require_packages('onnx')
