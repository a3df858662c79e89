"""Export a checkpoint file: load it, build its plain network, write and check the file."""

import os
from typing import Any, NamedTuple

from tcnn_mm.errors import UserError
from tcnn_mm.export.export_model import describe, export
from tcnn_mm.export.file_formats import require_packages
from tcnn_mm.export.plain_networks import plain_network
from tcnn_mm.inference.trained_model import load_trained_model


class Exported(NamedTuple):
    """A written file.

    Attributes:
        facts: What the file says of itself; see :func:`describe`.
        differences: Shape of each checked input, and the largest difference of a score there.
        notes: How its scores differ from those of the model, one sentence each.
    """

    facts: dict[str, Any]
    differences: list[tuple[tuple[int, ...], float]]
    notes: list[str]

    @property
    def outputs(self) -> list[str]:
        """Names of the scores, in order."""
        return self.facts['outputs']


def export_checkpoint(
    checkpoint: str | os.PathLike[str],
    out: str,
    *,
    config: str | None = None,
    file_format: str = 'onnx',
    part: str = 'patch',
    trust: bool = False,
) -> Exported:
    """Write the patch or dense network of a checkpoint, and check the file.

    Args:
        checkpoint: Of a trained model.
        out: The file; it appears when the check has passed, and only then.
        config: For a checkpoint that holds none.
        file_format: 'onnx' or 'torch-export'.
        part: 'patch': (B, 3, S, S) → (B, K+1). 'dense': one image → (h, w, K+1).
        trust: Unpickle the checkpoint fully.

    Raises:
        UserError: A package is missing, or the network has no dense form (e.g. attention).
        RuntimeError: The file gives other scores than the network.
    """
    require_packages(file_format)
    trained = load_trained_model(checkpoint, config, device='cpu', trust=trust)
    try:
        network = plain_network(trained.model, part)
    except ValueError as error:
        raise UserError(f'{checkpoint}: no dense network: {error}') from error
    facts = describe(trained, network, part)
    notes = []
    if part == 'dense' and trained.record['feature_mode'] == 'crop':
        notes.append(
            'trained in crop mode: a window of the dense network sees the pixels around it where a '
            'cropped patch sees padding, so scores differ slightly from those of the patches'
        )
    if trained.model.context is not None:
        notes.append('the context head is not in the file: its scores are the votes alone')
    differences = export(network, part, out, file_format, facts['size'], facts)
    return Exported(facts, differences, notes)
