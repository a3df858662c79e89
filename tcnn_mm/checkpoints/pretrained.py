"""Load pretrained weights into backbone and neck, and check that all have arrived."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from mmengine.logging import print_log

from tcnn_mm.checkpoints.in_order import rename_in_order
from tcnn_mm.checkpoints.loading import load_safely, model_state
from tcnn_mm.checkpoints.strict import short_list
from tcnn_mm.checkpoints.zoo import ZOO_SCHEME, zoo_entry
from tcnn_mm.errors import UserError


def check_pixels(recorded: Mapping[str, Any], own: Mapping[str, Any], filename: str) -> None:
    """Compare the preprocessing that a file records with the model's.

    Args:
        recorded: `preprocessing` of the file's meta; may be empty.
        own: The model's.
        filename: The file, for the error.

    Raises:
        UserError: Another mean, std or channel order; names both and the entry to fix.
    """
    differ = [
        f'{key}: file {_plain(recorded[key])}, model {_plain(own[key])}'
        for key in ('mean', 'std', 'channel_order')
        if key in recorded and key in own and _plain(recorded[key]) != _plain(own[key])
    ]
    if differ:
        raise UserError(
            f'{filename}: its weights expect other pixels; {"; ".join(differ)}; set '
            "them as the backbone's preprocessing"
        )


def _plain(value: Any) -> str | list[float]:
    return value if isinstance(value, str) else [float(v) for v in value]


def wrapped_names(
    state: dict[str, torch.Tensor], backbone: torch.nn.Module
) -> dict[str, torch.Tensor]:
    """Rename the weights of a bare network for a backbone that holds it as its only child.

    Such are mmpretrain's `TIMMBackbone` (`timm_model`) and our `TorchvisionBackbone`
    (`extractor`). Other backbones' weights keep their names.
    """
    children = [name for name, _ in backbone.named_children()]
    if len(children) != 1:
        return state
    prefix = f'{children[0]}.'
    return {k if k.startswith(prefix) else prefix + k: value for k, value in state.items()}


def load_backbone(backbone: torch.nn.Module, filename: str) -> None:
    """Load a weight file into a backbone alone, e.g. in a detector; see :func:`load_pretrained`."""
    own = getattr(backbone, 'preprocessing', {})
    load_pretrained(SimpleNamespace(backbone=backbone, preprocessing=own), filename)


def load_pretrained(model: Any, filename: str) -> None:
    """Load a weight file into `model.backbone` (and `model.neck`), never into the head.

    The file may be a classifier of mmpretrain (`backbone.…` keys), or the bare network with its
    own names, of timm or torchvision; `backbone.convert_state_dict` renames foreign weights.

    Args:
        model: With `backbone`, perhaps `neck`.
        filename: A path, a URL, `torchvision://NAME` or `zoo://NAME`.

    Raises:
        UserError: A parameter of backbone or neck has no value in the file, or one of another
            shape; both lists of keys are given. Or the file records other preprocessing.
    """
    checkpoint = load_safely(filename)
    state = model_state(checkpoint)
    meta = checkpoint.get('meta') or {}
    entry = zoo_entry(filename) if filename.startswith(ZOO_SCHEME) else None
    recorded = entry.pixels if entry else meta.get('tcnn_mm', {}).get('preprocessing', {})
    check_pixels(recorded, getattr(model, 'preprocessing', {}), filename)
    parts: dict[str, dict[str, torch.Tensor]] = {'backbone': {}, 'neck': {}}
    if any(key.startswith('backbone.') for key in state):
        for key, value in state.items():
            part, _, name = key.partition('.')
            parts.setdefault(part, {})[name] = value
    else:
        parts['backbone'] = state
    backbone = model.backbone
    if entry and entry.in_order:
        parts['backbone'] = rename_in_order(state, backbone.state_dict(), filename)
    elif hasattr(backbone, 'convert_state_dict'):
        parts['backbone'] = backbone.convert_state_dict(parts['backbone'])
    else:
        parts['backbone'] = wrapped_names(parts['backbone'], backbone)
    loaded, missing, unused = 0, [], [f'head.{key}' for key in parts.get('head', {})]
    for part in ('backbone', 'neck'):
        module = getattr(model, part, None)
        own = module.state_dict() if module is not None else {}
        given = parts[part]
        # BatchNorm's counter is no weight; files older than it are complete.
        missing += [f'{part}.{k}' for k in own if k not in given and 'num_batches' not in k]
        unused += [f'{part}.{k}' for k in given if k not in own]
        wrong = [
            f'{part}.{k}: file {tuple(given[k].shape)}, model {tuple(own[k].shape)}'
            for k in own
            if k in given and given[k].shape != own[k].shape
        ]
        if wrong:
            raise UserError(f'{filename}: shapes differ: {"; ".join(wrong[:6])}')
        if module is not None and own and not missing:
            module.load_state_dict({k: v for k, v in given.items() if k in own}, strict=False)
            loaded += len([k for k in own if k in given])
    if missing:
        raise UserError(
            f'{filename}: does not hold this backbone; missing: {short_list(missing)}; '
            f'not used: {short_list(unused)}'
        )
    print_log(
        f'pretrained: {loaded} tensors from {filename}; new layers: head; not used: '
        f'{short_list(unused)}',
        logger='current',
    )
