"""Features of whole images, by the frozen network: what the baselines are trained on.

Letters: N images, D channels, K classes.
"""

import numpy as np
import torch

from tcnn_mm.analysis.cached_arrays import Arrays
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.source_images import SizedDataset, image_dataset
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.models.samples import sample_labels
from tcnn_mm.patches.crop import crop_patches
from tcnn_mm.patches.geometry import largest

WHOLE, WINDOWS = 'whole image', 'mean of windows'


@torch.no_grad()
def squashed_and_window_features(model: PatchModel, dataset: SizedDataset, windows: bool) -> Arrays:
    """Describe the images of a data set as one squashed patch, and by the mean of all windows.

    Args:
        model: Frozen up to the head.
        dataset: Images, or a bank of all their windows, which then gives the windows' features.
        windows: Compute the mean of all windows too (of a bank always).

    Returns:
        `whole image` (N, D), `mean of windows` (N, D) and `labels` (N, K) in {1, 0, -1}.
    """
    bank = dataset if isinstance(dataset, FeatureBank) else None
    images = image_dataset(dataset)
    whole, means, labels = [], [], []
    bar = progress_bar(len(images), 'image')
    for i in range(len(images)):
        item = images[i]
        image = item['inputs'].to(model.device)
        height, width = image.shape[-2:]
        box = np.array([[0, 0, width, height]])
        patch = crop_patches(model.encoder.prepare_image(image), box, model.encoder.size)
        whole.append(model.encoder.encode_patches(patch)[0].cpu().numpy())
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


def largest_window_features(model: PatchModel, dataset: SizedDataset) -> Arrays:
    """Describe the images of a data set by the mean of their largest patches (λ = 1).

    Args:
        model: Frozen up to the head.
        dataset: Images; or a bank that has these features: of all windows, or of sampled patches
            and opened with `context=True`.

    Returns:
        `features` (N, D), `labels` (N, K) in {1, 0, -1}, `ids` (N,) str.

    Raises:
        UserError: Part of the backbone trains: its features are not those of the head.
    """
    if model.encoder.layers_above:
        raise UserError(
            f'whole images need a frozen backbone; {model.encoder.layers_above[0]} trains'
        )
    if isinstance(dataset, FeatureBank):
        return bank_whole_features(dataset, model.head.num_classes)
    return _of_images(model, dataset)


def bank_whole_features(bank: FeatureBank, num_classes: int) -> Arrays:
    """Of the images of a bank, as :func:`largest_window_features` returns it."""
    records = [bank.manifest['pictures'][i] for i in bank.images]
    if bank.context:
        features = np.array(bank.whole[bank.images], np.float32)
    else:
        features = np.stack([_largest_rows(bank, i) for i in bank.images])
    labels = [image_labels(r['gt_label'], r['gt_label_difficult'], num_classes) for r in records]
    ids = [record['img_id'] for record in records]
    return dict(features=features, labels=np.stack(labels), ids=np.array(ids))


def _largest_rows(bank: FeatureBank, image: int) -> np.ndarray:
    """Mean of the largest windows of an image in a bank of all windows: (D,) float32."""
    boxes = bank.boxes[bank.first[image] :][: bank.sizes[image]]
    rows = bank.first[image] + np.flatnonzero(largest(boxes))
    return bank.features[0, rows].astype(np.float32).mean(0)


@torch.no_grad()
def _of_images(model: PatchModel, dataset: SizedDataset) -> Arrays:
    features, labels, ids = [], [], []
    bar = progress_bar(len(dataset), 'image')
    for i in range(len(dataset)):
        item = dataset[i]
        features.append(model.whole_features([item['inputs'].to(model.device)])[0].cpu().numpy())
        labels.append(sample_labels(item['data_samples'], model.head.num_classes))
        ids.append(item['data_samples'].img_id)
        bar.update()
    bar.close()
    return dict(features=np.stack(features), labels=np.stack(labels), ids=np.array(ids))
