"""The mix of typical and uncertain images, duplicates, heads of dropout, reasons: small cases."""

import numpy as np
import pytest
import torch
from PIL import Image

from tcnn_mm.evaluation.calibration import Calibration
from tcnn_mm.labelling.suggest_choice import (
    FEW,
    TYPICAL,
    UNCERTAIN,
    Pick,
    choose,
    typical_share,
)
from tcnn_mm.labelling.suggest_pool import make_pool
from tcnn_mm.labelling.suggest_source import dropout_heads, trained_layers, use_head
from tcnn_mm.labelling.suggest_table import Suggestion, reason
from tcnn_mm.labelling.suggest_votes import image_probabilities, judgement
from tests.labelling.test_suggest_spread import clusters
from tests.support.patch_model import build_model


def photo(seed, size=(96, 128)):
    """A smooth random image (h, w, 3) uint8 that a re-encoding keeps nearly as it is."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return coarse.resize(size[::-1], Image.Resampling.BICUBIC)


def test_without_heads_all_are_typical():
    """One of each of two clusters first, the larger one before."""
    points = clusters(20, 10)
    picks = choose(points, points[:0], None, 2, typical_share(0, 0))
    assert [pick.kind for pick in picks] == [TYPICAL] * 2
    assert [pick.image < 20 for pick in picks] == [True, False]


def test_the_uncertain_image_is_suggested():
    """Of one cluster whose images are sure but one: that one, after the typical share."""
    points = clusters(12, noise=0.2)
    bits = np.zeros(12)
    bits[7] = 1
    (pick,) = choose(points, points[:0], bits, 1, 0)
    assert pick.image == 7 and pick.kind == UNCERTAIN
    found = choose(points, points[:0], bits, 4, 0.5)
    assert [pick.kind for pick in found] == [TYPICAL] * 2 + [UNCERTAIN] * 2
    assert 7 in [pick.image for pick in found]


def test_uncertain_images_are_spread():
    """Ten uncertain images of one kind and three of another: one of each first."""
    points = clusters(10, 3, 10)
    bits = np.repeat([0.9, 0.9, 0.0], [10, 3, 10])
    kinds = [pick.image for pick in choose(points, points[:0], bits, 2, 0)]
    assert kinds[0] < 10 <= kinds[1] < 13


@pytest.mark.parametrize('count', [0, 1, 5, 40])
def test_each_once_and_at_most_the_count(count):
    """Whatever is asked for."""
    points = clusters(9, 4)
    picks = choose(points, points[:2], np.linspace(0, 1, 13), count, 0.5)
    assert len(picks) == len({pick.image for pick in picks}) == min(count, 13)


def test_no_label_or_no_head_asks_for_typical_images_alone():
    """So do few labels; many ask for uncertain ones."""
    assert typical_share(0, 3) == typical_share(1000, 0) == typical_share(FEW - 1, 3) == 1
    assert typical_share(FEW, 3) == 0


def test_duplicates_of_labelled_images_and_of_each_other_are_left_out(tmp_path):
    """A re-encoded copy of a labelled image, a second one of a new image, a broken file."""
    (tmp_path / 'a').mkdir()
    photo(0).save(tmp_path / 'labelled.png')
    photo(0).save(tmp_path / 'a/copy.jpg', quality=90)
    photo(1).save(tmp_path / 'a/new.png')
    photo(1).save(tmp_path / 'a/new_again.jpg', quality=90)
    photo(2).save(tmp_path / 'a/other.png')
    (tmp_path / 'a/broken.png').write_bytes(b'')
    paths = sorted(map(str, (tmp_path / 'a').iterdir()))
    pool = make_pool(paths, [str(tmp_path / 'labelled.png'), str(tmp_path / 'gone.png')])
    assert [osp_name(image.path) for image in pool.images] == ['new.png', 'other.png']
    assert [osp_name(path) for path in pool.copies] == ['copy.jpg']
    assert [osp_name(path) for path in pool.repeats] == ['new_again.jpg']
    assert len(pool.errors) == 1 and 'broken.png' in pool.errors[0]
    assert [osp_name(path) for path in pool.lost] == ['gone.png'] and len(pool.notes()) == 4
    assert make_pool(paths[::-1], []).images == make_pool(paths, []).images


def osp_name(path):
    """Name of a file."""
    return path.rsplit('/', 1)[-1]


def test_probabilities_are_calibrated_where_that_is_known():
    """Else the power mean of the votes: 0.5 of all patches is 0.5."""
    scores = np.array([[0.5**5, 0.5**5]])
    found = image_probabilities(scores, ['a', 'b'], {'a': Calibration(1.0, 0.0), 'b': None}, 5)
    assert found[0].tolist() == pytest.approx([0.5**5, 0.5])
    assert scores[0, 0] == 0.5**5


def test_the_patch_and_the_class_in_doubt():
    """The class at 0.5, its patch at 0.5; a likely class is proposed at its best patch."""
    chances = np.array([[0.99, 0.5, 0.01]])
    votes = np.array([[[0.1, 0.0, 0.0], [0.9, 0.48, 0.0], [0.2, 0.9, 0.0]]])
    boxes = np.arange(12.0).reshape(3, 4)
    found = judgement(chances, votes, boxes, (10, 20))
    assert found.doubt == 1 and found.patch == tuple(boxes[1]) and found.vote == 0.48
    assert [(p.label, p.patch) for p in found.proposals] == [
        (0, tuple(boxes[1])),
        (1, tuple(boxes[2])),
    ]


def test_draws_of_dropout_are_heads():
    """The same for a seed, different from each other, of the head's own mean; none without it."""
    model = build_model().eval()
    model.head.drop.p = 0.5
    own = trained_layers(model)
    heads, again = dropout_heads(model, 400), dropout_heads(model, 400)
    name = 'head.FCb.weight'
    assert all(torch.equal(a[name], b[name]) for a, b in zip(heads, again, strict=True))
    assert not torch.equal(heads[0][name], heads[1][name])
    mean = torch.stack([head[name] for head in heads]).mean(0)
    assert torch.allclose(mean, own[name], atol=0.3 * own[name].abs().max().item())
    use_head(model, heads[0])
    assert torch.equal(model.head.FCb.weight, heads[0][name])
    model.head.drop.p = 0.0
    assert len(dropout_heads(model, 5)) == 1


def test_reasons_are_sentences_with_figures():
    """What it stands for; the probability, its range over heads, the patch's vote."""
    typical = Suggestion('a.png', Pick(0, TYPICAL, 4), None)
    assert reason(typical, [], 0) == (
        'typical and different: 3 other unlabelled images are most like it'
    )
    assert reason(typical, [], 5).endswith('like it, unlike the labelled ones')
    found = judgement(
        np.array([[0.4], [0.6]]), np.array([[[0.3]], [[0.5]]]), np.zeros((1, 4)), (9, 9)
    )
    text = reason(Suggestion('a.png', Pick(0, UNCERTAIN, 2), found), ['dog'], 5)
    judged = reason(Suggestion('a.png', Pick(0, TYPICAL, 1), found), ['dog'], 5)
    assert judged == (
        'typical and different: no other unlabelled image is as much like it, unlike the labelled '
        'ones; least sure: dog with probability 0.50 (heads from 0.40 to 0.60); the patch votes '
        '0.40 for it'
    )
    assert text == (
        'uncertain: dog with probability 0.50 (heads from 0.40 to 0.60); the patch votes 0.40 for '
        'it; 1 other unlabelled image is most like it'
    )
