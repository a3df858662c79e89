"""The batched loop gives what `model.predict` gives for one image at a time."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from tcnn_mm.inference.predict_dataset import predict_dataset
from tcnn_mm.patches.bank_batch import BankWindows
from tests.support.patch_model import build_model, make_image

SIZES = ((60, 80), (90, 70), (60, 80), (75, 75), (64, 100))


class Images:
    """Five images of four sizes; `features` replaces their pixels by those of a bank."""

    def __init__(self, features=None):
        self.features = features

    def __len__(self):
        return len(SIZES)

    def __getitem__(self, index):
        image, sample = make_image(*SIZES[index], seed=index, labels=(index % 3,), name=str(index))
        if self.features is not None:
            image = self.features[index]
        return dict(inputs=image, data_samples=sample)


@pytest.fixture(scope='module')
def model():
    built = build_model().eval()
    torch.nn.init.normal_(built.head.FCb.weight, std=0.3)
    return built


def features_of(model):
    """(P, D) float16 features and (P, 4) boxes of each image, as a bank holds them."""
    found = []
    for item in Images():
        image = item['inputs']
        windows = model.sampler.grid(image.shape[-2:])
        with torch.no_grad():
            features = model.encoder.describe_patches(image, windows).half()
        found.append(BankWindows(features, windows.xyxy))
        if len(found) == len(SIZES):
            return found


def serial(model, dataset):
    """The same by one call of `model.predict` per image."""
    with torch.no_grad():
        for i in range(len(dataset)):
            batch = pseudo_collate([dataset[i]])
            yield model.predict(**batch)[0]


@pytest.mark.parametrize('batch_size', [1, 2, 7])
def test_scores_do_not_depend_on_the_batch(model, batch_size):
    """Every image in order: scores to 1e-6 (float32 sums of other chunks), labels exactly."""
    found = list(predict_dataset(model, Images(), batch_size, progress=False))
    assert [each.image_id for each in found] == list('01234')
    for i, (each, sample) in enumerate(zip(found, serial(model, Images()), strict=True)):
        np.testing.assert_allclose(each.scores, sample.pred_score.numpy(), atol=1e-6, rtol=0)
        assert each.labels.tolist() == [1 if k == i % 3 else -1 for k in range(3)]
        assert each.patch_boxes is None and 'patch_scores' not in each.sample
    assert found[0].scores.std() > 1e-3


@pytest.mark.parametrize('batch_size', [1, 4])
def test_a_bank_gives_the_same_bits(model, batch_size):
    """Features of an image are scored by themselves: bit-equal at any batch size."""
    bank = Images(features_of(model))
    found = predict_dataset(model, bank, batch_size, progress=False)
    for each, sample in zip(found, serial(model, bank), strict=True):
        assert np.array_equal(each.scores, sample.pred_score.double().numpy())


def test_patches_come_when_asked_for(model):
    """Boxes of the grid and their votes, whose aggregate is the score of the image."""
    for each in predict_dataset(model, Images(), return_patches=True, progress=False):
        np.testing.assert_array_equal(
            each.patch_boxes.numpy(), model.sampler.grid(each.inputs.shape[-2:]).xyxy
        )
        torch.testing.assert_close(
            model.aggregator(each.patch_scores).double(), torch.from_numpy(each.scores)
        )


def test_only_the_chosen_images_in_the_order_given(model):
    """`indices` chooses items; each keeps its index."""
    found = list(predict_dataset(model, Images(), 2, indices=[3, 0, 4], progress=False))
    assert [each.index for each in found] == [3, 0, 4]
    assert [each.image_id for each in found] == ['3', '0', '4']
