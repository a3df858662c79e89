"""Classifiers of whole pictures on the same frozen features: what patches have to beat."""

import numpy as np
import torch

from tcnn_mm.analysis.prediction_cache import pictures_of
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.heads.adaptation_head import class_log_loss
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.patches.crop import iter_patches
from tcnn_mm.patches.geometry import largest
from tcnn_mm.registry import MODELS

WHOLE, WINDOWS = 'whole picture', 'mean of windows'
HEAD_STEPS = 1500


@torch.no_grad()
def describe_pictures(model, dataset, windows):
    """Features and labels of a data set's pictures; windows come from a bank where it is one.

    Args:
        model (PatchClassifier): Frozen up to the head.
        dataset (Dataset): Pictures, or a bank of all their windows.
        windows (bool): The mean of all windows too (of a bank always: it is there).

    Returns:
        dict: 'whole picture', squashed to one patch, (N, D); 'mean of windows' (N, D); `labels`
        (N, K) in {1, 0, -1}.
    """
    bank = dataset if isinstance(dataset, FeatureBank) else None
    pictures = pictures_of(dataset)
    whole, means, labels = [], [], []
    bar = progress_bar(len(pictures), 'image')
    for i in range(len(pictures)):
        item = pictures[i]
        image = item['inputs'].to(model.device)
        height, width = image.shape[-2:]
        squashed = next(
            iter_patches(
                model.encoder.prepare_image(image),
                [[0, 0, width, height]],
                model.preprocessing['size'],
            )
        )[1]
        whole.append(model.encoder.encode_patches(squashed)[0].cpu().numpy())
        if bank:
            means.append(bank[i]['inputs'].features.float().mean(0).numpy())
        elif windows:
            boxes = model.sampler.grid((height, width))
            means.append(model.encoder.describe_patches(image, boxes).mean(0).cpu().numpy())
        labels.append(sample_labels(item['data_samples'], model.head.num_classes))
        bar.update()
    bar.close()
    rows = {WHOLE: np.stack(whole), 'labels': np.stack(labels)}
    if means:
        rows[WINDOWS] = np.stack(means)
    return rows


@torch.no_grad()
def largest_windows(model, dataset):
    """Features of whole pictures without squashing: the mean of their largest patches (λ = 1).

    Args:
        model (PatchClassifier): Frozen up to the head.
        dataset (Dataset): Pictures; or a bank, which has them: of all windows, or of sampled
            patches and opened with `context=True`.

    Returns:
        dict: `features` (N, D), `labels` (N, K) in {1, 0, -1}, `ids` (N,) str.

    Raises:
        UserError: Part of the backbone trains: its features are not those of the head.
    """
    if model.encoder.layers_above:
        raise UserError(
            f'whole pictures need a frozen backbone; {model.encoder.layers_above[0]} trains'
        )
    num = model.head.num_classes
    if isinstance(dataset, FeatureBank):
        pictures = [dataset.manifest['pictures'][i] for i in dataset.pictures]
        if dataset.context:
            features = np.array(dataset.whole[dataset.pictures], np.float32)
        else:
            features = np.stack([_largest_rows(dataset, i) for i in dataset.pictures])
        labels = [image_labels(p['gt_label'], p['gt_label_difficult'], num) for p in pictures]
        ids = [picture['img_id'] for picture in pictures]
    else:
        features, labels, ids = [], [], []
        bar = progress_bar(len(dataset), 'image')
        for i in range(len(dataset)):
            item = dataset[i]
            image = item['inputs'].to(model.device)
            features.append(model.whole_features([image])[0].cpu().numpy())
            labels.append(sample_labels(item['data_samples'], num))
            ids.append(item['data_samples'].img_id)
            bar.update()
        bar.close()
        features = np.stack(features)
    return dict(features=features, labels=np.stack(labels), ids=np.array(ids))


def _largest_rows(bank, picture):
    """Mean of a picture's largest windows in a bank of all windows, (D,) float32."""
    rows = bank.first[picture] + np.flatnonzero(
        largest(bank.boxes[bank.first[picture] :][: bank.sizes[picture]])
    )
    return bank.features[0, rows].astype(np.float32).mean(0)


def fit_logistic(features, labels, strength=0.01):
    """One logistic regression a class on standardised features, as weights for raw ones.

    Args:
        features (ndarray): (N, D).
        labels (ndarray): (N, K) in {1, 0, -1}; 0 is left out.
        strength (float): scikit-learn's C. Defaults to 0.01.

    Returns:
        tuple[ndarray, ndarray]: (D, K) and (K,) such that `features @ weights + bias` are the
        decision values; zeros for a class that has positives or negatives alone.
    """
    from sklearn.linear_model import LogisticRegression

    mean, std = features.mean(0), features.std(0) + 1e-6
    standard = (features - mean) / std
    weights, bias = np.zeros((features.shape[1], labels.shape[1])), np.zeros(labels.shape[1])
    for k in range(labels.shape[1]):
        known = labels[:, k] != 0
        if len(np.unique(labels[known, k])) == 2:
            model = LogisticRegression(C=strength, max_iter=1000)
            model.fit(standard[known], labels[known, k])
            weights[:, k] = model.coef_[0] / std
            bias[k] = model.intercept_[0] - mean @ weights[:, k]
    return weights, bias


def logistic_regression(train, labels, test):
    """Decision values (M, K) on `test` (M, D) of :func:`fit_logistic` on `train`, `labels`."""
    weights, bias = fit_logistic(train, labels)
    return test @ weights + bias


def adaptation_head(train, labels, test, head_cfg, seed, steps=HEAD_STEPS, batch=128):
    """The method's head on whole-picture features: K sigmoids, log-loss.

    SGD as for patches, lr 0.01, ÷10 after 2/3 and 8/9 of the steps.

    Args:
        train, test (ndarray): (N, D), (M, D).
        labels (ndarray): (N, K) in {1, 0, -1}; 0 is left out of the loss.
        head_cfg (dict): Of an `AdaptationHead`.
        seed (int): Of its weights, its dropout and the batches.

    Returns:
        ndarray: (M, K) logits.
    """
    torch.manual_seed(seed)
    head = MODELS.build(dict(head_cfg, background=False))
    head.init_weights()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * steps // 3, 8 * steps // 9])
    x, y = torch.from_numpy(train).float(), torch.from_numpy(labels)
    for _ in range(steps):
        pick = torch.randperm(len(x))[:batch]
        optimizer.zero_grad()
        class_log_loss(head((x[pick],)), y[pick]).backward()
        optimizer.step()
        schedule.step()
    head.eval()
    with torch.no_grad():
        return head((torch.from_numpy(test).float(),)).numpy()
