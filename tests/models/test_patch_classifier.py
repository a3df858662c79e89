"""Training on patches, votes at test, and what must not change the result."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tcnn_mm.models import PowerMeanAggregator
from tcnn_mm.models.heads.adaptation_head import (
    AdaptationHead,
    correct_and_seen,
    global_mean_loss,
)
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.crop import crop_patches
from tcnn_mm.registry import MODELS
from tests.support.patch_model import build_model, make_image


def test_scores_are_the_mean_of_y_to_the_k():
    """pred_score equals crops → network → softmax → mean y^5, written out by hand."""
    model = build_model(scales=(1.0, 1.6)).eval()
    image, sample = make_image()
    with torch.no_grad():
        got = model.predict([image], [sample])[0].pred_score
        boxes = model.sampler.grid((60, 80))
        patches = (crop_patches(image, boxes, 64) - 127.5) / 64
        y = model.head((model.backbone(patches)[0],)).softmax(1)[:, :3]
    assert got.shape == (3,) and got.dtype == torch.float32
    torch.testing.assert_close(got, (y**5).mean(0), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('chunk', [1, 5, 1000])
def test_chunk_size_does_not_change_scores(chunk):
    """Chunked = whole to 1e-5."""
    image, sample = make_image()
    with torch.no_grad():
        whole = build_model(chunk_size=64).eval().predict([image], [sample])[0].pred_score
        parts = build_model(chunk_size=chunk).eval().predict([image])[0].pred_score
    torch.testing.assert_close(whole, parts, rtol=0, atol=1e-5)


def test_annotations_are_not_read_at_test():
    """Scores are bit-equal with, without, and with wrong annotations."""
    model = build_model().eval()
    image, sample = make_image()
    other = make_image(boxes=((0, 0, 80, 60), (3, 3, 9, 9)), labels=(2, 0))[1]
    with torch.no_grad():
        scores = [model.predict([image], s)[0].pred_score for s in ([sample], [other], None)]
    assert torch.equal(scores[0], scores[1]) and torch.equal(scores[0], scores[2])


def test_loss_is_the_mean_over_all_patches_of_the_batch():
    """Two images with different patch counts: one mean over patches, not of means."""
    model = build_model(flip_prob=0.0).train()
    model.set_epoch(0, 0)
    images = [make_image(name='a'), make_image(90, 60, 1, ((0, 0, 40, 40),), (2,), 'b')]
    loss = model.loss([p[0] for p in images], [p[1] for p in images])['loss']
    logits, labels = [], []
    for image, sample in images:
        drawn = model.sample_patches(image, sample, training=True)
        patches = (crop_patches(image, drawn.xyxy, 64) - 127.5) / 64
        logits.append(model(patches))
        labels.append(torch.from_numpy(drawn.label))
    assert len(labels[0]) != len(labels[1])
    expected = F.cross_entropy(torch.cat(logits), torch.cat(labels))
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


def test_deleted_patches_are_not_for_the_loss():
    """Label -1 adds nothing and is not counted."""
    logits = torch.randn(4, 3)
    labels = torch.tensor([0, -1, 2, -1])
    expected = F.cross_entropy(logits[[0, 2]], labels[[0, 2]])
    torch.testing.assert_close(global_mean_loss(logits, labels), expected)


def test_flips_are_keyed_and_really_flip():
    """The same key flips the same patches; flip_prob 0 and 1 differ by the mirror image."""
    image, sample = make_image()

    def features(flip_prob, epoch):
        model = build_model(flip_prob=flip_prob).train()
        model.set_epoch(0, epoch)
        return model.loss([image], [sample])['loss']

    assert torch.equal(features(0.5, 1), features(0.5, 1))
    assert not torch.equal(features(0.5, 1), features(0.5, 2))
    mirrored = image.flip(-1)
    model = build_model(flip_prob=1.0).eval()
    boxes = np.array([[0, 0, 60, 60]], np.float32)
    ((*_, flipped),) = model.encoder.iter_features([image], [boxes], [np.array([True])])
    plain = model.encoder.describe_patches(mirrored, np.array([[20, 0, 80, 60]], np.float32))
    torch.testing.assert_close(flipped, plain, rtol=1e-3, atol=1e-4)


def test_a_batch_without_patches_is_a_zero_that_trains_everything():
    """No patches: loss 0 with a gradient path to every trainable parameter, so DDP goes on."""
    model = build_model(
        frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7'), sampler_options=dict(background_share=0.0)
    ).train()
    model.set_epoch(0, 0)
    image, sample = make_image(boxes=(), labels=())
    loss = model.loss([image], [sample])['loss']
    loss.backward()
    assert loss.item() == 0
    for parameter in model.parameters():
        assert (parameter.grad is not None) == parameter.requires_grad


def test_without_the_seed_hook_training_is_refused():
    """A run without EpochSeedHook would draw the same patches for ever: an error says so."""
    image, sample = make_image()
    with pytest.raises(RuntimeError, match='EpochSeedHook'):
        build_model().loss([image], [sample])


def test_epoch_statistics_count_each_label():
    """Seen patches by label add up to the sampled ones; set_epoch starts anew."""
    model = build_model().train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    model.loss([image], [sample])
    drawn = model.sample_patches(image, sample, training=True)
    assert model.statistics[:, 1].tolist() == np.bincount(drawn.label, minlength=4).tolist()
    assert (model.statistics[:, 0] <= model.statistics[:, 1]).all()
    model.set_epoch(0, 1)
    assert model.statistics is None


def test_bgr_weights_get_bgr_pixels():
    """channel_order='bgr' turns the channels, and a red image is red in the last one."""
    red = torch.zeros(3, 4, 4, dtype=torch.uint8)
    red[0] = 255
    plain = dict(mean=(0, 0, 0), std=(1, 1, 1))
    rgb = build_model(preprocessing=plain).encoder.prepare_image(red)
    bgr = build_model(preprocessing=dict(channel_order='bgr', **plain)).encoder.prepare_image(red)
    assert rgb[0].min() == 255 and rgb[1:].max() == 0
    assert bgr[2].min() == 255 and bgr[:2].max() == 0


def test_bfloat16_of_the_frozen_part_is_close(half_native):
    """frozen_dtype='bfloat16' changes scores a little and keeps them float32."""
    image, _ = make_image()
    with torch.no_grad():
        full = build_model().eval().predict([image])[0].pred_score
        half = build_model(frozen_dtype='bfloat16').eval().predict([image])[0].pred_score
    assert half.dtype == torch.float32 and not torch.equal(full, half)
    torch.testing.assert_close(full, half, rtol=0.1, atol=1e-3)


def build_action_model(**options):
    """One square a person, three actions, no background."""
    head = dict(type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=256, background=False)
    return MODELS.build(
        dict(
            type='tcnn_mm.PatchClassifier',
            backbone=build_model().backbone,
            head=dict(head, hidden_channels=32, dropout=0.0),
            sampler=dict(type='tcnn_mm.ObjectSquareSampler', margin=0.5),
            aggregator=dict(type='tcnn_mm.MeanAggregator'),
            frozen=('backbone',),
            **options,
        )
    )


def make_person(box=(-4.0, 5.0, 31.0, 50.0), labels=(1,), number=1):
    boxes = (box,) * len(labels)
    image, sample = make_image(boxes=boxes, labels=labels)
    sample.set_field(torch.tensor(box), 'input_box')
    sample.set_metainfo(dict(object_index=number))
    return image, sample


def test_a_person_is_scored_by_one_square():
    """pred_score is the softmax of the square around input_box, mirrored outside, all K of it."""
    model = build_action_model().eval()
    image, sample = make_person()
    square = [[13.5 - 33.75, 27.5 - 33.75, 13.5 + 33.75, 27.5 + 33.75]]
    with torch.no_grad():
        got = model.predict([image], [sample])[0].pred_score
        y = model((crop_patches(image, square, 64) - 127.5) / 64).softmax(1)
    torch.testing.assert_close(got, y[0], rtol=1e-4, atol=1e-6)
    assert got.sum().item() == pytest.approx(1, abs=1e-5)


def test_persons_train_with_their_action():
    """The loss is over the persons with one action; statistics have a last row, of nobody."""
    model = build_action_model(flip_prob=0.0).train()
    model.set_epoch(0, 0)
    batch = [make_person(), make_person((20.0, 5.0, 70.0, 50.0), (0,), 2)]
    batch.append(make_person(labels=(0, 2), number=3))
    loss = model.loss(*map(list, zip(*batch, strict=True)))['loss']
    logits = []
    for image, sample in batch[:2]:
        patches = model.sample_patches(image, sample, training=True)
        logits.append(model((crop_patches(image, patches.xyxy, 64) - 127.5) / 64))
    expected = F.cross_entropy(torch.cat(logits), torch.tensor([1, 0]))
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)
    assert model.statistics[:, 1].tolist() == [1, 1, 0, 0]


def test_two_persons_of_an_image_flip_by_themselves():
    """Randomness hangs on the person, not only on the image."""
    names = [sample_name(make_person(number=n)[1]) for n in (1, 2)]
    assert names == ['a/1', 'a/2'] and sample_name(make_image()[1]) == 'a'


def test_dense_mode_has_no_squares():
    """A square is no window of a grid: feature_mode='dense' is refused by the sampler's name."""
    with pytest.raises(ValueError, match="'dense' reads windows.*ObjectSquareSampler has none"):
        build_action_model(feature_mode='dense')


def test_patch_scores_are_kept_only_when_asked():
    """return_patches adds boxes and scores whose power mean is pred_score."""
    model = build_model().eval()
    image, _ = make_image()
    with torch.no_grad():
        assert 'patch_scores' not in model.predict([image])[0]
        sample = model.predict([image], return_patches=True)[0]
    assert sample.patch_boxes.shape == (len(sample.patch_scores), 4)
    torch.testing.assert_close(PowerMeanAggregator(5)(sample.patch_scores), sample.pred_score)


def test_correct_and_seen_patches_are_counted_by_label():
    """Closed form: a hit, a miss, a patch without label and a label that nothing shows."""
    logits = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 9.0]])
    counts = correct_and_seen(logits, torch.tensor([0, 1, -1]), 3)
    assert counts.tolist() == [[1, 1], [0, 1], [0, 0]]


def test_ids_may_be_numbers():
    """An id 0 is an id; the same draws as of its text."""
    model = build_model().train()
    draws = []
    for name in (0, '0', 1):
        image, sample = make_image(name=name)
        model.set_epoch(0, 0)
        draws.append(model.sample_patches(image, sample, training=True).xyxy)
        assert sample_name(sample) == str(name)
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


class SmoothHead(AdaptationHead):
    """A head with a loss of its own: label smoothing, under a name of its own."""

    def loss(self, feats, data_samples, **kwargs):
        self.seen = labels = torch.cat([sample.gt_label for sample in data_samples])
        return dict(loss_smooth=F.cross_entropy(self(feats), labels, label_smoothing=0.2))


def test_a_heads_own_loss_is_used():
    """On the labelled patches, one sample each; gradients are those of that loss."""
    head = SmoothHead(num_classes=3, in_channels=256, hidden_channels=32, dropout=0.0)
    model = build_model(head=head, flip_prob=0.0).train()
    model.set_epoch(0, 0)
    image, sample = make_image()
    losses = model.loss([image], [sample])
    drawn = model.sample_patches(image, sample, training=True)
    label = torch.from_numpy(drawn.label)
    assert torch.equal(head.seen, label[label >= 0]) and list(losses) == ['loss_smooth']
    logits = model((crop_patches(image, drawn.xyxy, 64) - 127.5) / 64)
    expected = F.cross_entropy(logits, label, ignore_index=-1, label_smoothing=0.2)
    torch.testing.assert_close(losses['loss_smooth'], expected, rtol=1e-4, atol=1e-6)
    losses['loss_smooth'].backward()
    assert head.FCb.weight.grad.abs().sum() > 0 and int(model.statistics[:, 1].sum()) == len(label)


def test_a_heads_own_loss_without_patches():
    """A batch without a labelled patch gives zero, with gradients for all that trains."""
    head = SmoothHead(num_classes=3, in_channels=256, hidden_channels=32)
    model = build_model(head=head, sampler_options=dict(background_share=0.0)).train()
    model.set_epoch(0, 0)
    image, sample = make_image(boxes=(), labels=())
    loss = model.loss([image], [sample])['loss']
    loss.backward()
    assert loss == 0 and head.FCa.weight.grad is not None
