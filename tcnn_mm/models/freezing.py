"""Freezing by name: any subset of layers, also with gaps (paper, sec. 6: FC6 under FC7)."""

import torch


def resolve(model, names):
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
    declared = model.backbone.layers() if hasattr(model.backbone, 'run_layers') else {}
    paths = {name for name, _ in model.named_modules()}
    paths |= {name for name, _ in model.named_parameters()}
    resolved = []
    for name in names:
        if name in declared:
            resolved += [f'backbone.{path}' for path, _ in declared[name]]
        elif name and name in paths:
            resolved.append(name)
        else:
            children = [f'backbone.{child}' for child, _ in model.backbone.named_children()]
            raise ValueError(
                f'frozen={name!r} names nothing in the model; layers: '
                f'{list(declared) or "none declared"}; paths start with: '
                f'{["backbone", "neck", "head"] + children}'
            )
    return resolved


def _below(name, paths):
    return any(name == path or name.startswith(path + '.') for path in paths)


def freeze(model, names):
    """Take the gradient from the named layers' parameters.

    Returns:
        list[nn.Module]: Modules that must stay in eval mode (see :func:`hold_eval`).
    """
    paths = resolve(model, names)
    for name, parameter in model.named_parameters():
        if _below(name, paths):
            parameter.requires_grad_(False)
    return [module for name, module in model.named_modules() if name and _below(name, paths)]


def hold_eval(modules):
    """Put frozen modules back into eval mode: call at the end of every `train()`."""
    for module in modules:
        module.eval()


def count_parameters(model):
    """(frozen, trainable) numbers of parameters."""
    counts = [0, 0]
    for parameter in model.parameters():
        counts[parameter.requires_grad] += parameter.numel()
    return tuple(counts)


def split_layers(backbone):
    """Cut the layers at the first one that trains.

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


def zero_times_trainable(model):
    """A zero that every trainable parameter takes part in.

    The loss of a process without patches: it must join the gradient exchange, or the others
    would wait for it for ever.
    """
    total = torch.zeros((), device=next(model.parameters()).device)
    for parameter in model.parameters():
        if parameter.requires_grad:
            total = total + 0.0 * parameter.sum()
    return total
