"""A trained model as ONNX or torch.export file, checked against the network it was made from."""

import json
import warnings

import numpy as np
import torch

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.compat import free_sizes, has_free_sizes
from tcnn_mm.errors import UserError

FORMATS = ('onnx', 'torch-export')
# The largest difference of any score that a written file may show.
TOLERANCE = 1e-4
ONNX_PACKAGES = ('onnx', 'onnxruntime', 'onnxscript')


def need_packages(form):
    """Raise a UserError where this format cannot be written here."""
    if not hasattr(torch.export.Dim, 'DYNAMIC') or not has_free_sizes():
        raise UserError(f'export needs torch ≥ 2.8 for free sizes, found {torch.__version__}')
    if form == 'onnx':
        for name in ONNX_PACKAGES:
            try:
                __import__(name)
            except ImportError as error:
                raise UserError(f"ONNX: no package {name}; pip install '.[export]'") from error


def describe(trained, network, part):
    """What the file's user has to know, in JSON's types; it is stored in the file.

    Args:
        trained (TrainedModel): The model.
        network (nn.Module): Its :func:`plain_network`.
        part (str): 'patch' or 'dense'.
    """
    background = getattr(trained.model.head, 'background', False)
    facts = dict(
        part=part,
        input='float32 RGB 0–255, normalised inside',
        outputs=[*trained.classes, 'background'] if background else list(trained.classes),
        scores='independent probabilities' if network.independent else 'softmax',
        size=trained.record['preprocessing']['size'],
        trained_in=trained.record['feature_mode'] + ' mode',
        grid=trained.record['grid'],
        aggregator=trained.record['aggregator'],
        thresholds=trained.thresholds,
    )
    return dict(facts, stride=network.stride) if part == 'dense' else facts


def sample_inputs(network, part, size):
    """Noise of several sizes: the first to trace with, the others to check.

    Args:
        network (nn.Module): With `stride`, where `part` is 'dense'.
        size (int): S.

    Returns:
        list[Tensor]: (B, 3, S, S), or (1, 3, S + stride · i, S + stride · j).
    """
    random = torch.Generator().manual_seed(0)
    if part == 'patch':
        shapes = [(batch, 3, size, size) for batch in (2, 1, 5)]
    else:
        steps = ((2, 3), (0, 0), (0, 4), (5, 1))
        shapes = [(1, 3, *(size + network.stride * n for n in step)) for step in steps]
    return [255 * torch.rand(shape, generator=random) for shape in shapes]


def trace(network, example, part):
    """The network as a program with a free batch ('patch'), or free height and width ('dense')."""
    free = torch.export.Dim.DYNAMIC
    shapes = {0: free} if part == 'patch' else {2: free, 3: free}
    # Else sizes of 0 and 1 are cases of their own: one patch, one row of windows would be refused.
    with free_sizes(), torch.no_grad():
        return torch.export.export(network, (example,), dynamic_shapes=(shapes,))


def write(program, example, path, form, facts):
    """Write a traced program with what its user has to know.

    The facts are ONNX's `metadata_props['tcnn_mm']`, torch.export's extra file `tcnn_mm.json`.
    """
    text = json.dumps(facts, ensure_ascii=False)
    if form == 'torch-export':
        with warnings.catch_warnings(), open(path, 'wb') as file:
            # Of channels_last weights; it concerns those on a GPU.
            warnings.filterwarnings('ignore', 'No complete tensor found')
            torch.export.save(program, file, extra_files={'tcnn_mm.json': text})
        return
    names = dict(input_names=['pixels'], output_names=['scores'])
    made = torch.onnx.export(program, (example,), dynamo=True, verbose=False, **names)
    made.model.metadata_props['tcnn_mm'] = text
    made.save(path, external_data=False)


def runner(path, form):
    """A written file as a function: Tensor → Tensor."""
    if form == 'torch-export':
        with open(path, 'rb') as file:
            return torch.export.load(file).module()
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda pixels: torch.from_numpy(session.run(None, dict(pixels=pixels.numpy()))[0])


@torch.no_grad()
def export(network, part, path, form, size, facts):
    """Write the file and check it on inputs of several sizes.

    Args:
        network (nn.Module): :func:`plain_network`.
        part (str): 'patch' or 'dense'.
        path (str): The file; it stands in its place when the check has passed, and only then.
        form (str): One of `FORMATS`.
        size (int): S.
        facts (dict): :func:`describe`.

    Returns:
        list[tuple]: Shape of each checked input, and the largest difference of a score.

    Raises:
        UserError: A package is missing.
        RuntimeError: The file gives other scores than the network.
    """
    need_packages(form)
    inputs = sample_inputs(network, part, size)
    with atomic_path(path) as draft:
        write(trace(network, inputs[0], part), inputs[0], draft, form, facts)
        run = runner(draft, form)
        rows = [(tuple(x.shape), float((run(x) - network(x)).abs().max())) for x in inputs]
        worst = max(difference for _, difference in rows)
        if not worst <= TOLERANCE or np.isnan(worst):
            raise RuntimeError(f'{path}: scores differ by {worst:.2g} from the network: not kept')
    return rows
