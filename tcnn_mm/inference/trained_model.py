"""A trained model out of its checkpoint: no data set, no weight folder, no config file needed."""

import os.path as osp
from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.checkpoints.loading import load_safely, model_state
from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import MODELS

# What image scores, and so thresholds, depend on beside the weights.
RECORDED = ('preprocessing', 'sampler', 'grid', 'aggregator', 'feature_mode')


@dataclass
class TrainedModel:
    """What a checkpoint gives for predicting.

    Attributes:
        model (PatchModel): In eval mode, on its device.
        classes (list[str]): K names.
        thresholds (dict | None): Class → threshold, or None for a class without; None where none
            were chosen, or where the config given makes other scores than those they are for.
        chosen_on (str | None): What the thresholds were chosen on.
        record (dict): How the model cuts, scores and aggregates (:func:`model_record`).
    """

    model: PatchModel
    classes: list
    thresholds: dict
    chosen_on: str
    record: dict


def load_trained_model(checkpoint, config=None, device=None, classes=None, trust=False):
    """Build the model of a checkpoint and fill it.

    Args:
        checkpoint (str): A file of `tools/train.py` or `publish_model.py`, or anything else
            that :func:`load_safely` reads.
        config (str | Config, optional): Replaces the checkpoint's own config, which is read as
            data.
        device (str, optional): Defaults to 'cuda' where there is a GPU, else 'cpu'.
        classes (sequence[str], optional): K names, for a checkpoint that holds none.
        trust (bool): See :func:`load_safely`.

    Returns:
        TrainedModel

    Raises:
        UserError: The checkpoint lacks what is needed, is of another model, or of none of ours.
    """
    if checkpoint is None:
        raise UserError('no checkpoint given: a config alone has an untrained head')
    name = str(checkpoint)
    content = load_safely(name, trust=trust)
    meta = content.get('meta') or {}
    stored = meta.get('tcnn_mm') or {}
    if config is None:
        lacking = [key for key in ('cfg', 'tcnn_mm') if not meta.get(key)]
        if lacking:
            raise UserError(
                f'{name}: has no {" and no ".join(f"meta[{key!r}]" for key in lacking)} '
                '(CheckpointMetaHook writes the one, --no-cfg leaves out the other); give its '
                'config too'
            )
        cfg = read_config_text(meta['cfg'], name)
    else:
        cfg = config if isinstance(config, Config) else _read_config(str(config))
    model = build_without_weights(cfg, name)
    fill(model, content, name)
    record = model_record(model)
    changed = _differences(stored, record)
    if changed and config is None:
        raise UserError(
            f'{name}: this version of tcnn_mm builds another model of its config '
            f'({"; ".join(changed)}); give a config that says it'
        )
    return TrainedModel(
        model=model.to(device or ('cuda' if torch.cuda.is_available() else 'cpu')).eval(),
        classes=_class_names(classes, meta, model, name),
        thresholds=None if changed else stored.get('thresholds'),
        chosen_on=stored.get('thresholds_chosen_on'),
        record=record,
    )


def build_without_weights(cfg, name):
    """The config's model, which no weight file and no download fills.

    Under the config's own scope, whatever project's process this is.

    Raises:
        UserError: It is no PatchClassifier, or a part of it is not registered here.
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
            f'{name}: is a {type(model).__name__}, which has no patches that vote; for plain '
            'classifiers take mmpretrain.ImageClassificationInferencer'
        )
    return model


def fill(model, content, name):
    """Load a checkpoint's weights into the model they are of.

    Raises:
        UserError: They are of another one.
    """
    try:
        model.load_state_dict(model_state(content))
    except RuntimeError as error:
        raise UserError(
            f'{name}: not of this config ({str(error).splitlines()[1].strip()})'
        ) from error


def _read_config(path):
    if not osp.isfile(path):
        raise UserError(f'no config: {path}\nlooked for {osp.abspath(path)}')
    return Config.fromfile(path)


def _without_pretrained(part):
    """A model's config where no part asks for weights: they come from the checkpoint."""
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


def _differences(stored, record):
    """What of the record is not as it was at training, in words."""
    return [
        f'{key}: {record[key]}, trained with {stored[key]}'
        for key in RECORDED
        if key in stored and stored[key] != record[key]
    ]


def _class_names(classes, meta, model, name):
    found = list(classes or (meta.get('dataset_meta') or {}).get('classes') or ())
    number = model.head.num_classes
    if len(found) != number:
        has = f'names {len(found)} classes' if found else 'names no classes'
        raise UserError(
            f'{name}: {has}, its head has {number}; give classes=[…], {number} names in the order '
            'of training'
        )
    return found
