"""Write and run programs as ONNX and `torch.export` files."""

import importlib
import json
import warnings
from collections.abc import Callable
from typing import Any

import torch

from tcnn_mm.compat import has_free_sizes
from tcnn_mm.errors import UserError

FORMATS = ('onnx', 'torch-export')
ONNX_PACKAGES = ('onnx', 'onnxruntime', 'onnxscript')
# Name of the facts: ONNX's metadata entry; with the suffix .json torch.export's extra file.
FACTS = 'tcnn_mm'


def require_packages(form: str) -> None:
    """Raise a UserError where this format cannot be written with the installed packages."""
    if not hasattr(torch.export.Dim, 'DYNAMIC') or not has_free_sizes():
        raise UserError(f'export needs torch ≥ 2.8 for dynamic sizes, found {torch.__version__}')
    if form == 'onnx':
        for name in ONNX_PACKAGES:
            try:
                importlib.import_module(name)
            except ImportError as error:
                raise UserError(
                    f"ONNX needs the package {name}: pip install 'tcnn_mm[export]'"
                ) from error


def write_program(
    program: torch.export.ExportedProgram,
    example: torch.Tensor,
    path: str,
    form: str,
    facts: dict[str, Any],
) -> None:
    """Write a traced program with the facts that its user needs.

    The facts are JSON: in ONNX `metadata_props['tcnn_mm']`, in torch.export the extra file
    `tcnn_mm.json`.

    Args:
        program: Of `torch.export`.
        example: Its traced input.
        path: The file.
        form: One of :data:`FORMATS`.
        facts: In JSON's types.
    """
    text = json.dumps(facts, ensure_ascii=False)
    if form == 'torch-export':
        with warnings.catch_warnings(), open(path, 'wb') as file:
            # Of channels_last weights; it concerns those on a GPU.
            warnings.filterwarnings('ignore', 'No complete tensor found')
            torch.export.save(program, file, extra_files={f'{FACTS}.json': text})
        return
    made = torch.onnx.export(
        program,
        (example,),
        dynamo=True,
        verbose=False,
        input_names=['pixels'],
        output_names=['scores'],
    )
    assert made is not None  # with dynamo=True and no path
    made.model.metadata_props[FACTS] = text
    made.save(path, external_data=False)


def load_program(path: str, form: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """A written file as a function on the CPU, from pixels to scores."""
    if form == 'torch-export':
        with open(path, 'rb') as file:
            return torch.export.load(file).module()
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda pixels: torch.from_numpy(session.run(None, dict(pixels=pixels.numpy()))[0])
