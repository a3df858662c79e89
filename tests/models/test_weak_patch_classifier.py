"""Image labels alone: pooled scores, one log-loss a class, no box read anywhere."""

import math

import numpy as np
import pytest
import torch

from tcnn_mm.models.heads.adaptation_head import class_log_loss
from tcnn_mm.patches.bank_batch import BankWindows
from tcnn_mm.patches.crop import crop_patches
from tcnn_mm.registry import MODELS
from tests.support.patch_model import FROZEN, make_image


def build(sampler=None, head=None, **options):
    """WeakPatchClassifier on the small net, three classes, windows every 32 px."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='tcnn_mm.WeakPatchClassifier',
            backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small'),
            head=dict(
                type='tcnn_mm.AdaptationHead',
                num_classes=3,
                in_channels=256,
                hidden_channels=32,
                dropout=0.0,
                **(head or dict(background=False)),
            ),
            sampler=sampler
            or dict(
                type='tcnn_mm.ScaleSampler', grid=dict(stride=32), base=1.5, factors=(0.8, 1, 2)
            ),
            frozen=FROZEN,
            **options,
        )
    )
    model.init_weights()
    return model


def training(model, epoch=0):
    model.train()
    model.set_epoch(0, epoch)
    return model


def image_batch(*labels):
    pairs = [
        make_image(60 + 12 * i, 90, i, labels=(label,), name=f'p{i}')
        for i, label in enumerate(labels)
    ]
    return [image for image, _ in pairs], [sample for _, sample in pairs]


def raw_scores(model, image, boxes):
    """Oracle: crop, network, head, written out."""
    patches = (crop_patches(image, boxes, 64) - 127.5) / 64
    return model.head((model.backbone(patches)[0],))


def test_log_loss_by_hand():
    """Σ over classes of log(1 + exp(-y f)), mean over images; 0 is left out."""
    scores = torch.tensor([[0.0, 2.0, -1.0], [3.0, 0.0, 0.0]])
    labels = torch.tensor([[1, -1, 0], [1, 0, -1]])
    expected = math.log(2) + math.log(1 + math.exp(2)) + math.log(1 + math.exp(-3)) + math.log(2)
    assert class_log_loss(scores, labels).item() == pytest.approx(expected / 2, rel=1e-6)
    assert class_log_loss(torch.tensor([[-1e4]]), torch.tensor([[1]])).item() == pytest.approx(1e4)


def test_the_loss_is_that_of_the_best_windows():
    """One scale a batch, maximum over each image's windows, log-loss of the labels."""
    images, samples = image_batch(1, 2)
    model = training(build(flip_prob=0.0))
    loss = model.loss(images, samples)['loss']
    key = model.key._replace(image_id='p0\0p1')
    pooled = []
    for image in images:
        boxes = model.sampler(tuple(image.shape[-2:]), training=True, key=key).xyxy
        pooled.append(raw_scores(model, image, boxes).max(0).values)
    y = torch.tensor([[-1, 1, -1], [-1, -1, 1]])
    expected = torch.log1p(torch.exp(-y * torch.stack(pooled))).sum() / 2
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)


def test_boxes_are_not_read():
    """Boxes deleted, moved or renamed: loss and gradients of a step are bit-equal."""

    def step(edit):
        images, samples = image_batch(1, 2)
        for sample in samples:
            edit(sample)
        model = training(build())
        loss = model.loss(images, samples)['loss']
        loss.backward()
        return [loss, *(p.grad for p in model.head.parameters())]

    def delete(sample):
        for name in ('gt_bboxes', 'gt_bboxes_labels', 'gt_bboxes_difficult'):
            del sample[name]

    def change(sample):
        sample.gt_bboxes.fill_(7)
        sample.gt_bboxes_labels.fill_(0)

    plain = step(lambda sample: None)
    for edit in (delete, change):
        assert all(torch.equal(a, b) for a, b in zip(plain, step(edit), strict=True))


def test_a_class_of_difficult_objects_only_does_not_count():
    """Its output gets no gradient; with an ordinary object beside it, it does."""
    images, samples = image_batch(1)
    samples[0].set_field(torch.tensor([-1, 1, 0]), 'image_labels', dtype=None)
    model = training(build())
    assert model.batch_labels(samples).tolist() == [[-1, 1, 0]]
    model.loss(images, samples)['loss'].backward()
    rows = model.head.FCb.weight.grad.abs().sum(1) > 0
    assert rows.tolist() == [True, True, False]


def test_the_scale_and_the_flips_are_keyed():
    """(seed, epoch, images) decide, whatever their order; another epoch draws anew."""
    images, samples = image_batch(1, 2)
    loss = [training(build(), epoch).loss(images, samples)['loss'] for epoch in (1, 1, 2)]
    assert torch.equal(loss[0], loss[1]) and not torch.equal(loss[0], loss[2])
    turned = training(build(), 1).loss(images[::-1], samples[::-1])['loss']
    torch.testing.assert_close(turned, loss[0], rtol=0, atol=1e-5)


def test_a_flipped_image_is_the_mirrored_one():
    """flip_prob 1 on an image equals flip_prob 0 on its mirror image (a symmetric grid)."""
    (image,), (sample,) = image_batch(1)
    losses = [
        training(build(flip_prob=p)).loss([turned], [sample])['loss']
        for p, turned in ((1.0, image), (0.0, image.flip(-1)))
    ]
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-3)


def test_a_test_is_the_mean_over_scales_of_the_maxima():
    """pred_score = σ(mean over scales of max over windows), annotations or not."""
    images, samples = image_batch(1, 2)
    model = build().eval()
    with torch.no_grad():
        got = [s.pred_score for s in model.predict(images, samples)]
        bare = [s.pred_score for s in model.predict(images)]
        for image, mine, other in zip(images, got, bare, strict=True):
            size_hw = tuple(image.shape[-2:])
            raw = raw_scores(model, image, model.sampler(size_hw, training=False).xyxy)
            counts = model.sampler.counts(size_hw)
            assert len(counts) == 3 and sum(counts) == len(raw)
            tops = [part.max(0).values for part in raw.split(counts)]
            expected = torch.stack(tops).mean(0).double().sigmoid()
            torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)
            assert torch.equal(mine, other)


def test_confident_scores_do_not_tie():
    """Raw scores of 20 and 21 keep their order, which a float32 sigmoid would lose."""
    model = build().eval()
    torch.nn.init.zeros_(model.head.FCb.weight)
    model.head.FCb.bias.data = torch.tensor([20.0, 21.0, -21.0])
    with torch.no_grad():
        score = model.predict(image_batch(1)[0])[0].pred_score
    assert score[0] < score[1] < 1 and score[2] > 0


@pytest.mark.parametrize('chunk', [1, 7])
@pytest.mark.parametrize('mode', ['crop', 'dense'])
def test_chunk_size_changes_nothing(mode, chunk):
    """Chunks bound the memory: loss and scores as in one piece, to 1e-4."""
    images, samples = image_batch(1, 2)
    results = []
    for size in (500, chunk):
        model = training(build(feature_mode=mode, chunk_size=size))
        loss = model.loss(images, samples)['loss'].detach()
        with torch.no_grad():
            scores = [s.pred_score for s in model.eval().predict(images)]
        results.append(torch.stack([loss.double(), *torch.cat(scores)]))
    torch.testing.assert_close(*results, rtol=0, atol=1e-4)


def test_log_sum_exp_pooling_trains_every_window():
    """Its loss lies between the mean's and the maximum's for an absent class, as its score does."""
    images, samples = image_batch(1)
    samples[0].set_gt_label(torch.zeros(0, dtype=torch.int64))
    losses = [
        training(build(aggregator=dict(type=f'tcnn_mm.{kind}Aggregator', **options)))
        .loss(images, samples)['loss']
        .item()
        for kind, options in (('Mean', {}), ('LogSumExp', dict(r=3.0)), ('Max', {}))
    ]
    assert losses[0] < losses[1] < losses[2]


def test_windows_keep_their_scores():
    """return_patches: boxes and probabilities of all windows, as maps and submissions take."""
    images, _ = image_batch(1)
    model = build().eval()
    with torch.no_grad():
        sample = model.predict(images, return_patches=True)[0]
    boxes = model.sampler(tuple(images[0].shape[-2:]), training=False).xyxy
    assert np.array_equal(sample.patch_boxes.numpy(), boxes)
    assert sample.patch_scores.shape == (len(boxes), 3)
    assert sample.patch_scores.min() >= 0 and sample.patch_scores.max() <= 1


def test_only_the_head_has_a_graph():
    """A step's gradient reaches FCa and FCb, and nothing below them."""
    model = training(build())
    model.loss(*image_batch(1, 2))['loss'].backward()
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == {
        f'head.{fc}.{leaf}' for fc in ('FCa', 'FCb') for leaf in ('weight', 'bias')
    }


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(head=dict(background=True)), 'background=False'),
        (dict(sampler=dict(type='tcnn_mm.PatchSampler')), 'ScaleSampler'),
        (dict(aggregator=dict(type='tcnn_mm.PowerMeanAggregator')), 'k=5'),
        (dict(context=dict(type='tcnn_mm.ContextHead')), 'context'),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    """Background, labelled patches, powers of raw scores: refused with the cure."""
    with pytest.raises(ValueError, match=words):
        build(**options)


def bags(model, images, samples):
    """What a bank of the test's windows gives of images."""
    patches = [model.sampler(tuple(image.shape[-2:]), training=False) for image in images]
    pairs = zip(images, patches, strict=True)
    found = [model.encoder.describe_patches(image, mine.boxes) for image, mine in pairs]
    for sample, image in zip(samples, images, strict=True):
        sample.set_metainfo(dict(ori_shape=tuple(image.shape[-2:])))
    return BankWindows(found, [mine.xyxy for mine in patches]), samples


def test_bags_of_a_bank_train_on_one_scale_of_the_test_windows():
    """The loss is that of one of the test's scales, chosen anew by the epoch."""
    model = build()
    images, samples = image_batch(0, 1)
    features, samples = bags(model, images, samples)
    losses = {
        round(training(model, epoch).loss(features, samples)['loss'].item(), 5)
        for epoch in range(12)
    }
    labels = model.batch_labels(samples)
    counts = [model.sampler.counts(s.ori_shape) for s in samples]
    assert [len(mine) for mine in counts] == [3, 3]
    expected = set()
    for scale in range(len(counts[0])):
        parts = [f.split(c)[scale] for f, c in zip(features.features, counts, strict=True)]
        raw = torch.stack([model.head((part,)).amax(0) for part in parts])
        expected.add(round(class_log_loss(raw, labels).item(), 5))
    assert losses == expected


def test_bags_of_a_bank_are_scored_as_their_images():
    model = build().eval()
    images, samples = image_batch(0, 1)
    with torch.no_grad():
        whole = [s.pred_score for s in model.predict(images, [s.clone() for s in samples])]
        banked = [s.pred_score for s in model.predict(*bags(model, images, samples))]
    torch.testing.assert_close(torch.stack(banked), torch.stack(whole), rtol=1e-5, atol=1e-6)


def test_a_missing_hook_is_named():
    """A run without EpochSeedHook."""
    with pytest.raises(RuntimeError, match='WeakPatchClassifier.*EpochSeedHook'):
        build().loss(*image_batch(1))
