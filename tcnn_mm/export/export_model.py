"""Export a trained model to a file that is checked against the network it was made from."""

import math
from typing import Any

import torch

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.compat import free_sizes
from tcnn_mm.export.file_formats import load_program, write_program
from tcnn_mm.export.plain_networks import DenseNetwork, PatchNetwork
from tcnn_mm.inference.trained_model import TrainedModel

# The largest difference of any score that a written file may show.
TOLERANCE = 1e-4


def describe(
    trained: TrainedModel, network: PatchNetwork | DenseNetwork, part: str
) -> dict[str, Any]:
    """The facts that the file's user needs, in JSON's types; they are stored in the file.

    Args:
        trained: The model.
        network: Its :func:`plain_network`.
        part: 'patch' or 'dense'.
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
        calibration=trained.calibration,  # slope and offset of the log-odds
    )
    return dict(facts, stride=network.stride) if isinstance(network, DenseNetwork) else facts


def sample_inputs(network: PatchNetwork | DenseNetwork, size: int) -> list[torch.Tensor]:
    """Noise of several sizes: the first to trace with, the others to check.

    Args:
        network: A :func:`plain_network`.
        size: S.

    Returns:
        (B, 3, S, S) of several B; of a dense network (1, 3, S + stride · i, S + stride · j).
    """
    random = torch.Generator().manual_seed(0)
    if isinstance(network, DenseNetwork):
        steps = ((2, 3), (0, 0), (0, 4), (5, 1))
        shapes = [(1, 3, *(size + network.stride * n for n in step)) for step in steps]
    else:
        shapes = [(batch, 3, size, size) for batch in (2, 1, 5)]
    return [255 * torch.rand(shape, generator=random) for shape in shapes]


def trace(network: torch.nn.Module, example: torch.Tensor, part: str) -> Any:
    """The network as an ExportedProgram with a dynamic batch ('patch') or height and width."""
    free = torch.export.Dim.DYNAMIC
    shapes = {0: free} if part == 'patch' else {2: free, 3: free}
    # Else sizes of 0 and 1 are cases of their own: one patch, one row of windows would be refused.
    with free_sizes(), torch.no_grad():
        return torch.export.export(network, (example,), dynamic_shapes=(shapes,))


@torch.no_grad()
def export(
    network: PatchNetwork | DenseNetwork,
    part: str,
    path: str,
    form: str,
    size: int,
    facts: dict[str, Any],
) -> list[tuple[tuple[int, ...], float]]:
    """Write the file and check it on inputs of several sizes.

    Args:
        network: A :func:`plain_network`.
        part: 'patch' or 'dense'.
        path: The file; it appears when the check has passed, and only then.
        form: 'onnx' or 'torch-export'.
        size: S.
        facts: Of :func:`describe`.

    Returns:
        Shape of each checked input, and the largest difference of a score.

    Raises:
        RuntimeError: The file gives other scores than the network.
    """
    inputs = sample_inputs(network, size)
    with atomic_path(path) as draft:
        write_program(trace(network, inputs[0], part), inputs[0], draft, form, facts)
        run = load_program(draft, form)
        rows = [(tuple(x.shape), float((run(x) - network(x)).abs().max())) for x in inputs]
        worst = max(difference for _, difference in rows)
        if not worst <= TOLERANCE or math.isnan(worst):
            raise RuntimeError(f'{path}: scores differ by {worst:.2g} from the network: not kept')
    return rows
