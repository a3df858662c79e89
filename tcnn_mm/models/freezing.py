"""Freezing by name: any subset of layers, also with gaps (paper, sec. 6: FC6 under FC7)."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from tcnn_mm.errors import InvalidValueError


def resolve(model: nn.Module, names: Iterable[str]) -> list[str]:
    """Turn layer names and prefixes into module paths.

    Args:
        model (nn.Module): With `backbone`; the backbone may declare `layers()` and `run_layers()`.
        names (sequence[str]): `'C1' … 'FC7'` where the backbone declares them, or paths such as
            `'backbone'`, `'backbone.features.0'`, `'head.FCa'`.

    Returns:
        list[str]: Paths of modules or parameters.

    Raises:
        ValueError: A name that is neither, with what there is to choose from.
    """
    # Not by `layers`: mmpretrain's vision transformers have a list of that name.
    backbone: Any = model.backbone
    declared = backbone.layers() if hasattr(backbone, 'run_layers') else {}
    paths = {name for name, _ in model.named_modules()}
    paths |= {name for name, _ in model.named_parameters()}
    resolved: list[str] = []
    for name in names:
        if name in declared:
            resolved += [f'backbone.{path}' for path, _ in declared[name]]
        elif name and name in paths:
            resolved.append(name)
        else:
            children = [f'backbone.{child}' for child, _ in backbone.named_children()]
            raise InvalidValueError(
                f'frozen={name!r} names nothing in the model; layers: '
                f'{list(declared) or "none declared"}; paths start with: '
                f'{["backbone", "neck", "head"] + children}'
            )
    return resolved


def _below(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(path + '.') for path in paths)


def freeze(model: nn.Module, names: Iterable[str]) -> list[nn.Module]:
    """Switch off the gradients of the named layers.

    Returns:
        list[nn.Module]: Modules that must stay in eval mode (see :func:`hold_eval`).
    """
    paths = resolve(model, names)
    for name, parameter in model.named_parameters():
        if _below(name, paths):
            parameter.requires_grad_(False)
    return [module for name, module in model.named_modules() if name and _below(name, paths)]


def hold_eval(modules: Iterable[nn.Module]) -> None:
    """Put frozen modules back into eval mode: call at the end of every `train()`."""
    for module in modules:
        module.eval()


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """(frozen, trainable) numbers of parameters."""
    counts = [0, 0]
    for parameter in model.parameters():
        counts[parameter.requires_grad] += parameter.numel()
    return counts[0], counts[1]


def split_layers(backbone: Any) -> tuple[list[str], list[str]]:
    """Split the layers of a backbone at the first trainable one.

    Below it no graph is needed; from it on the gradient has to pass, also through frozen layers.

    Returns:
        tuple[list[str], list[str]]: names below, and from the first trainable layer on. A
        backbone that declares no layers is one layer, `'backbone'`.
    """
    if not hasattr(backbone, 'run_layers'):
        trains = any(p.requires_grad for p in backbone.parameters())
        return ([], ['backbone']) if trains else (['backbone'], [])
    names = list(backbone.layers())
    for at, modules in enumerate(backbone.layers().values()):
        if any(p.requires_grad for _, module in modules for p in module.parameters()):
            return names[:at], names[at:]
    return names, []


def zero_times_trainable(model: nn.Module) -> torch.Tensor:
    """Return a zero loss with a gradient path to every trainable parameter.

    The loss of a process without patches: it must take part in the gradient exchange, or the other
    processes would wait for ever.
    """
    total = torch.zeros((), device=next(model.parameters()).device)
    for parameter in model.parameters():
        if parameter.requires_grad:
            total = total + 0.0 * parameter.sum()
    return total
