"""Compare a checkpoint with the model and the data that are to use it: exact, or an error.

The one owner of this comparison: training, resume, test, prediction, thresholds and export.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from tcnn_mm.checkpoints.loading import model_state
from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.checkpoints.record_types import short
from tcnn_mm.checkpoints.resuming import not_finite
from tcnn_mm.errors import UserError, first_names

# Entries of the record (:func:`model_record`) that change image scores, and so thresholds.
RECORDED = (
    'preprocessing',
    'sampler',
    'grid',
    'aggregator',
    'feature_mode',
    'dense_tile',
    'dense_scales',
)
# Modules that are new when a network is transferred to another task.
NEW_LAYERS = ('head.', 'context.')


def recorded_classes(content: Mapping[str, Any]) -> list[str]:
    """Class names that a checkpoint records, in the order of its outputs; [] without."""
    meta = content.get('meta') or {}
    return [str(name) for name in (meta.get('dataset_meta') or {}).get('classes') or ()]


def is_source_network(content: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is of a plain classifier, whose backbone alone is transferred."""
    record = (content.get('meta') or {}).get('tcnn_mm') or {}
    return 'sampler' not in record and not any(
        key.startswith('head.FC') for key in model_state(content)
    )


def check_state(
    content: Mapping[str, Any], model: nn.Module, name: str, new: Sequence[str] = ()
) -> list[str]:
    """Compare names and shapes of the tensors of a checkpoint with those of a model.

    Args:
        content: Of the checkpoint, as :func:`load_safely` gives it.
        model: That is to get the weights.
        name: Of the checkpoint, for errors.
        new: Prefixes of modules that may differ: the layers that a transfer starts anew.

    Returns:
        Parameters of the model that get no value: of `new` alone.

    Raises:
        UserError: Missing, unexpected or reshaped tensors, with their names; NaN or infinity.
    """
    state, own = model_state(content), model.state_dict()
    # BatchNorm's counter is no weight; files older than it are complete.
    missing = [key for key in own if key not in state and 'num_batches' not in key]
    unexpected = [key for key in state if key not in own]
    reshaped = [key for key in own if key in state and _shape(state[key]) != tuple(own[key].shape)]

    def wrong(keys: list[str]) -> list[str]:
        return [key for key in keys if not key.startswith(tuple(new))]

    problems = [
        f'{what}: {short_list(found)}'
        for what, found in (
            ('missing', wrong(missing)),
            ('unexpected', wrong(unexpected)),
            (
                'other shapes',
                [
                    f'{key} {_shape(state[key])}, the model has {tuple(own[key].shape)}'
                    for key in wrong(reshaped)
                ],
            ),
        )
        if found
    ]
    if problems:
        raise UserError(
            f'{name}: not of this config ({"; ".join(problems)}); give the config of its training, '
            'or take its backbone alone: model.pretrained=FILE'
        )
    bad = not_finite(state)
    if bad:
        raise UserError(
            f'{name}: holds NaN or infinity: {short_list(bad)}; take an earlier checkpoint'
        )
    return [*missing, *reshaped]


def check_classes(content: Mapping[str, Any], classes: Iterable[str], name: str, of: str) -> None:
    """Compare the class names of a checkpoint with others, in order.

    Args:
        content: Of the checkpoint. Without names there is nothing to compare.
        classes: Of a data set; empty where it names none.
        name: Of the checkpoint, for errors.
        of: What the classes are of, for errors, e.g. 'the test data'.

    Raises:
        UserError: Other names, or another order.
    """
    stored, given = recorded_classes(content), [str(each) for each in classes]
    if not stored or not given or stored == given:
        return
    if sorted(stored) == sorted(given):
        what = 'the same classes in another order'
    else:
        what = 'other classes'
        for each, names in (('the checkpoint', stored), (of, given)):
            alone = [n for n in names if n not in (given if names is stored else stored)]
            what += f', in {each} alone: {short_list(alone)}' if alone else ''
    first = [i for i, pair in enumerate(zip(stored, given, strict=False)) if pair[0] != pair[1]]
    at = f'; class {first[0]}: {stored[first[0]]!r}, {given[first[0]]!r}' if first else ''
    raise UserError(
        f'{name}: {of} has {what}{at}; the outputs of the checkpoint are '
        f'{short_list(stored, 30, keep_order=True)}; give the data set '
        'metainfo=dict(classes=(…)) in this order'
    )


def record_differences(
    stored: Mapping[str, Any], record: Mapping[str, Any], entries: Sequence[str] = RECORDED
) -> dict[str, str]:
    """Entries of two records that differ → 'entry: own value, trained with the stored one'.

    Entries that the stored record lacks, as those of older versions do, are equal.
    """
    return {
        key: f'{key}: {short(record.get(key))}, trained with {short(stored[key])}'
        for key in entries
        if key in stored and stored[key] != record.get(key)
    }


def check_record(
    content: Mapping[str, Any],
    model: nn.Module,
    name: str,
    entries: Sequence[str] = RECORDED,
    allowed: Sequence[str] = (),
) -> list[str]:
    """Compare how a model prepares, cuts and scores images with the record of a checkpoint.

    Args:
        content: Of the checkpoint. Without a record there is nothing to compare.
        model: A classifier.
        name: Of the checkpoint, for errors.
        entries: Of the record, to compare.
        allowed: Those of them that may differ: the config's `allowed_differences`.

    Returns:
        The allowed differences that there are.

    Raises:
        UserError: Others.
    """
    strange = sorted(set(allowed) - set(RECORDED))
    if strange:
        raise UserError(f'allowed_differences: {strange[0]!r} is none of {", ".join(RECORDED)}')
    stored = (content.get('meta') or {}).get('tcnn_mm') or {}
    found = record_differences(stored, model_record(model) or {} if stored else {}, entries)
    wrong = [text for key, text in found.items() if key not in allowed]
    if wrong:
        keys = ','.join(key for key in found if key in RECORDED)
        allow = f'allowed_differences=[{keys}]'
        if 'frozen' in found:
            raise UserError(
                f'{name}: the config has {"; ".join(wrong)}; to change what is frozen, start a '
                'training from these weights: tcnn train … --cfg-options '
                f'{shlex.quote(f"load_from={name}")}'
            )
        raise UserError(
            f'{name}: the config has {"; ".join(wrong)}; give the config of its training'
            + (f', or allow it: tcnn test … --cfg-options {shlex.quote(allow)}' if keys else '')
        )
    return list(found.values())


def short_list(names: Iterable[str], most: int = 6, keep_order: bool = False) -> str:
    """Names in one line: the first ones, and how many there are."""
    found = list(names) if keep_order else sorted(names)
    return first_names(found, most) or 'none'


def _shape(value: Any) -> Any:
    return tuple(value.shape) if hasattr(value, 'shape') else type(value).__name__
