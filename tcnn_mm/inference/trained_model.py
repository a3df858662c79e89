"""Build a trained model from its checkpoint; no data set, weight folder or config is needed."""

import logging
import os
import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from torch import nn

from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.checkpoints.loading import load_safely, model_state
from tcnn_mm.checkpoints.metadata import map_damping, model_record
from tcnn_mm.checkpoints.strict import check_record, check_state, record_differences
from tcnn_mm.compat import registered_names_only
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import Calibration, recorded_calibration
from tcnn_mm.evaluation.training_images import recorded_training_images
from tcnn_mm.evaluation.unfamiliar import TrainingImages
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import MODELS


@dataclass
class TrainedModel:
    """A model with its weights, and what its checkpoint records.

    Attributes:
        model (PatchModel): In eval mode, on its device.
        classes (list[str]): K names.
        thresholds (dict | None): Class → threshold, or None for a class without; None where none
            were chosen, or where the config given makes other scores than those they are for.
        chosen_on (str | None): What the thresholds were chosen on.
        calibration (dict | None): Class → :class:`Calibration`, or None for a class without; None
            where `thresholds` is.
        record (dict): How the model cuts, scores and aggregates (:func:`model_record`).
        damping (float): Of localization maps, as recorded (:func:`map_damping`).
        upright (bool): Images were read upright in training, as recorded.
        training_images (TrainingImages | None): What :func:`unfamiliar` compares images with;
            None where nothing is kept, or where `thresholds` is.
    """

    model: PatchModel
    classes: list[str]
    thresholds: dict[str, float | None] | None
    chosen_on: str | None
    calibration: dict[str, Calibration | None] | None
    record: dict[str, Any]
    damping: float
    upright: bool
    training_images: TrainingImages | None = None


def load_trained_model(
    checkpoint: str | os.PathLike[str] | None,
    config: str | os.PathLike[str] | Config | None = None,
    device: str | None = None,
    classes: Sequence[str] | None = None,
    trust: bool = False,
) -> TrainedModel:
    """Build the model of a checkpoint and load its weights.

    Args:
        checkpoint (str): A file of `tcnn train`, `tcnn fit` or `tcnn export`, or anything else
            that :func:`load_safely` reads.
        config (str | Config, optional): Replaces the checkpoint's own config, which is read as
            data.
        device (str, optional): Defaults to 'cuda' where there is a GPU, else 'cpu'.
        classes (sequence[str], optional): K names, for a checkpoint that holds none.
        trust (bool): See :func:`load_safely`.

    Returns:
        TrainedModel

    Raises:
        UserError: The checkpoint lacks an entry that is needed, or is of another model.
    """
    if checkpoint is None:
        raise UserError('no checkpoint given: a config alone has an untrained head')
    name = str(checkpoint)
    content = load_safely(name, trust=trust)
    meta = _entry(content, 'meta', name)
    stored = _entry(meta, 'tcnn_mm', name)
    if config is None:
        lacking = [key for key in ('cfg', 'tcnn_mm') if not meta.get(key)]
        if lacking:
            raise UserError(
                f'{name}: has no {" and no ".join(f"meta[{key!r}]" for key in lacking)} '
                "(CheckpointMetaHook writes 'tcnn_mm', tcnn export --no-cfg leaves out 'cfg'); "
                'give its config too: tcnn predict … --config FILE'
            )
        cfg = read_config_text(meta['cfg'], name)
    else:
        cfg = config if isinstance(config, Config) else _read_config(str(config))
    model = build_without_weights(cfg, name) if config else build_from_data(cfg, name)
    fill(model, content, name)
    record = model_record(model) or {}
    changed = list(record_differences(stored, record).values())
    if changed and config is None:
        raise UserError(
            f'{name}: this version of tcnn_mm builds another model of its config '
            f'({"; ".join(changed)}); give a config with these values'
        )
    check_record(content, model, name, ('preprocessing',), cfg.get('allowed_differences') or ())
    if changed:
        print_log(
            f'{name}: the config given scores otherwise ({"; ".join(changed)}); thresholds of the '
            'checkpoint are not used',
            'current',
            logging.WARNING,
        )
    return TrainedModel(
        model=model.to(device or ('cuda' if torch.cuda.is_available() else 'cpu')).eval(),
        classes=_class_names(classes, meta, model, name),
        thresholds=None if changed else stored.get('thresholds'),
        chosen_on=_printable(stored.get('thresholds_chosen_on')),
        calibration=None if changed else recorded_calibration(stored, name),
        record=record,
        damping=map_damping(stored, cfg),
        upright=bool(stored.get('upright')),
        training_images=None if changed else _training_images(stored, model, name),
    )


def build_without_weights(cfg: Config, name: str) -> PatchModel:
    """Build the config's model under the config's own scope, without reading any weights.

    Args:
        cfg: The experiment.
        name: Of the checkpoint, for errors.

    Raises:
        UserError: It is not a PatchModel, or one of its types is not registered.
    """
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmpretrain')):
        try:
            model = MODELS.build(_without_pretrained(cfg.model.to_dict()))
        except KeyError as error:
            raise UserError(
                f'{name}: its model cannot be built here ({str(error)[:200]}); import the code '
                'that registers it first, or give a config whose custom_imports name it'
            ) from error
    if not isinstance(model, PatchModel):
        raise UserError(
            f'{name}: is a {type(model).__name__}, which has no patches; for plain classifiers '
            'use mmpretrain.ImageClassificationInferencer'
        )
    return model


def build_from_data(cfg: Config, name: str) -> PatchModel:
    """Build the model of a config that a checkpoint holds: of registered parts alone.

    Raises:
        UserError: What :func:`build_without_weights` refuses, a value that a part refuses.
    """
    try:
        with registered_names_only():
            return build_without_weights(cfg, name)
    except UserError:
        raise
    except Exception as error:  # whatever parts raise at the values of a file
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f'{name}: no model can be built of its config ({reason[:200]}); give a config'
        ) from error


def fill(model: nn.Module, content: Mapping[str, Any], name: str) -> None:
    """Load a checkpoint's weights into its model.

    Args:
        model: Gets the weights.
        content: Of the checkpoint, as :func:`load_safely` gives it.
        name: Of the checkpoint, for errors.

    Raises:
        UserError: The weights are of another model.
    """
    check_state(content, model, name)
    # Files older than BatchNorm's counter are complete without it.
    model.load_state_dict(model_state(content), strict=False)


def _entry(content: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    """A dict inside a checkpoint; empty where it has none."""
    found = content.get(key) or {}
    if not isinstance(found, Mapping):
        raise UserError(f'{name}: its {key!r} is a {type(found).__name__}, expected a dict')
    return found


def _read_config(path: str) -> Config:
    if not osp.isfile(path):
        raise UserError(f'no config: {path}\nlooked for {osp.abspath(path)}')
    return Config.fromfile(path)


def _without_pretrained(part: Any) -> Any:
    """Copy a model's config without `pretrained` entries: weights come from the checkpoint."""
    if isinstance(part, (list, tuple)):
        return type(part)(_without_pretrained(item) for item in part)
    if not isinstance(part, dict):
        return part
    return {
        # timm takes True or False, others a path or None.
        key: (False if value is True else None)
        if key == 'pretrained'
        else _without_pretrained(value)
        for key, value in part.items()
        if key != 'checkpoint_path'
    }


def _printable(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _training_images(
    stored: Mapping[str, Any], model: PatchModel, name: str
) -> TrainingImages | None:
    """What the checkpoint keeps of its training images, if it is of this network's features."""
    found = recorded_training_images(stored, name)
    layers = model.voter.layers_above
    if found is None or layers or found.vectors.shape[1] == model.head.in_channels:
        return found
    raise UserError(
        f"{name}: meta['tcnn_mm']['training_images'] has {found.vectors.shape[1]} channels, its "
        f'network {model.head.in_channels}; the file was changed since it was written: take '
        'another copy'
    )


def _class_names(
    classes: Sequence[str] | None, meta: Mapping[str, Any], model: PatchModel, name: str
) -> list[str]:
    """Names from the caller, else from the checkpoint; as many as the head has outputs."""
    found = list(classes or (meta.get('dataset_meta') or {}).get('classes') or ())
    number = model.head.num_classes
    if len(found) != number:
        has = f'names {len(found)} classes' if found else 'names no classes'
        raise UserError(
            f'{name}: {has}, its head has {number}; give classes=[…], {number} names in the order '
            'of training'
        )
    return found
