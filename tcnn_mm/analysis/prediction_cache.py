"""One pass over a data set, kept on disk: what many later questions are answered from."""

import json
import os
import os.path as osp

import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.inference.trained_model import fill
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.registry import DATASETS, MODELS


def build_model(cfg, checkpoint=None, trust=False):
    """A config's model, in eval mode, on the GPU where there is one.

    Args:
        cfg (Config): The experiment.
        checkpoint (str, optional): Its weights; without, those of `model.pretrained`.
        trust (bool): See :func:`load_safely`.

    Raises:
        UserError: The checkpoint is of another network.
    """
    model = MODELS.build(dict(cfg.model, pretrained=None) if checkpoint else cfg.model)
    if checkpoint:
        fill(model, load_safely(checkpoint, trust=trust), checkpoint)
    else:
        model.init_weights()
    return model.cuda().eval() if torch.cuda.is_available() else model.eval()


def picture_config(dataset):
    """Config of the pictures behind a data set's: a bank's `source`, with the bank's ids."""
    dataset = dict(dataset)
    if 'source' not in dataset:
        return dataset
    ids = dataset.get('ids')
    return dict(dataset['source'], ids=ids) if ids else dict(dataset['source'])


def pictures_of(dataset):
    """The pictures that a data set's features come from; itself where it holds pictures."""
    if not isinstance(dataset, FeatureBank):
        return dataset
    return DATASETS.build(picture_config(dict(source=dataset.source, ids=dataset.ids)))


def choosing_set(cfg, loader='test', split=None, ids=None, pictures=False):
    """Config of the data set whose pictures choose a setting.

    Args:
        cfg (Config): The experiment.
        loader (str): 'train', 'val' or 'test': whose data set.
        split (str, optional): Of it. Defaults to 'val', where it has a split; of the
            'val' loader to its own.
        ids (str, optional): A text file: only these of its pictures.
        pictures (bool): Of a feature bank the pictures behind it.

    Raises:
        UserError: Which pictures choose is not said.
    """
    entry = cfg.get(f'{loader}_dataloader')
    if not entry:
        raise UserError(f'--loader {loader}: the config has no {loader}_dataloader')
    dataset = entry.dataset.to_dict()
    if pictures:
        dataset = picture_config(dataset)
    if 'split' in dataset:
        dataset['split'] = split or (dataset['split'] if loader == 'val' else 'val')
    elif split:
        raise UserError(f'--split {split}: {dataset["type"]} has no split; give --ids FILE')
    elif not ids and loader != 'val':
        raise UserError(
            f'{dataset["type"]} has no split: say which of its pictures choose, --ids FILE'
        )
    if ids:
        dataset['ids'] = osp.abspath(ids)
    dataset['test_mode'] = True
    return dataset


def keep(path, recipe, make):
    """Arrays that cost minutes: read from a file of the same recipe, else made and written.

    Args:
        path (str): An npz file.
        recipe (dict): What the arrays depend on, in JSON's types.
        make (callable): → dict of arrays.

    Returns:
        dict: The arrays.
    """
    recipe = json.dumps(recipe, sort_keys=True, default=str)
    if osp.isfile(path):
        with np.load(path) as stored:
            if str(stored['recipe']) == recipe:
                return {key: stored[key] for key in stored.files if key != 'recipe'}
    arrays = make()
    os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
    with atomic_path(path, '.npz') as draft:  # numpy's own ending
        np.savez(draft, recipe=np.array(recipe), **arrays)
    return arrays


def pass_recipe(cfg, dataset, checkpoint=None):
    """What the patch scores of a data set depend on; the aggregator is not among it."""
    model = {k: v for k, v in cfg.model.to_dict().items() if k != 'aggregator'}
    return dict(
        model=model, dataset=dict(dataset), checkpoint=checkpoint and file_digest(checkpoint)
    )


@torch.no_grad()
def patch_scores(model, dataset):
    """Scores of all patches of all pictures, and the pictures' labels.

    Args:
        model (PatchClassifier): With its weights.
        dataset (Dataset): Pictures, or a bank of all their windows.

    Returns:
        dict: `scores` (ΣP, K) float32, `sizes` (N,) patches of each picture, `labels` (N, K) in
        {1, 0, -1}, `ids` (N,) str.
    """
    scores, labels, ids = [], [], []
    bar = progress_bar(len(dataset), 'image')
    for i in range(len(dataset)):
        batch = model.data_preprocessor(pseudo_collate([dataset[i]]))
        sample = model.predict(**batch, return_patches=True)[0]
        scores.append(sample.patch_scores.cpu().numpy())
        labels.append(sample_labels(sample, model.head.num_classes))
        ids.append(str(sample.img_id))
        bar.update()
    bar.close()
    return dict(
        scores=np.concatenate(scores),
        sizes=np.array([len(mine) for mine in scores]),
        labels=np.stack(labels),
        ids=np.array(ids),
    )


@torch.no_grad()
def image_scores(model, dataset):
    """Scores of pictures as a test gives them, and their labels.

    Args:
        model (PatchClassifier): With its weights.
        dataset (Dataset): Pictures (or persons), or a bank of all their windows.

    Returns:
        dict: `scores` (N, K) float64, `labels` (N, K) in {1, 0, -1}.
    """
    scores, labels = [], []
    bar = progress_bar(len(dataset), 'image')
    for i in range(len(dataset)):
        sample = model.predict(**model.data_preprocessor(pseudo_collate([dataset[i]])))[0]
        scores.append(sample.pred_score.double().cpu().numpy())
        labels.append(sample_labels(sample, model.head.num_classes))
        bar.update()
    bar.close()
    return dict(scores=np.stack(scores), labels=np.stack(labels))


def metric_settings(cfg, kind='VOCDevkitAP'):
    """Arguments of the config's first test metric of this type, without the type."""
    evaluator = cfg.test_evaluator
    for metric in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if str(metric['type']).endswith(kind):
            return {key: value for key, value in metric.items() if key != 'type'}
    return {}
