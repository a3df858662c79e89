"""Files in, one JSON and overlays out: the same scores and maps as from Python."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.errors import UserError
from tcnn_mm.inference import predict_folder
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.inference.results_file import to_json
from tcnn_mm.models.patch_voter import PatchVoter
from tests.support.small_checkpoint import CLASSES, write_small_checkpoint


def test_unreadable_images_do_not_lose_the_others(workspace):
    """JSON and overlays of the readable images; the summary and the error name what they should."""
    done = predict_to_folder('in', 'a.pth', 'o')
    with pytest.raises(UserError, match=r'1 of 3 images could not be predicted:\n.*z.jpg: not a'):
        done.raise_for_errors()
    assert 'labels: no thresholds' in done.summary() and '2 images: o/pred' in done.summary()
    written = json.loads((workspace / 'o' / 'predictions.json').read_text())
    assert written['classes'] == list(CLASSES) and written['thresholds'] is None
    assert 'no thresholds were chosen' in written['labels_are']
    assert written['images'] == done.results
    first, third, second = written['images']
    assert [r['img_path'] for r in done.results] == ['in/a.png', 'in/z.jpg', 'in/b/a.png']
    assert set(third) == {'img_path', 'error'}
    assert first['overlay'] == 'overlays/a.png' and second['overlay'] == 'overlays/a_2.png'
    expected = TCNNInferencer(checkpoint='a.pth')('in/b/a.png')[0]
    assert second['scores'] == pytest.approx(expected['scores'], abs=1e-6)
    assert list(second['patches']) == second['labels'] == expected['labels']
    for result in (first, second):
        drawn = np.asarray(Image.open(workspace / 'o' / result['overlay']))
        assert drawn.std() > 10


@pytest.mark.parametrize('damping', [None, 0])
@pytest.mark.parametrize('recorded', [None, 7])
def test_overlays_are_drawn_from_the_inferencers_maps(damping, recorded, workspace, monkeypatch):
    """Same image, same damping rule: the same maps, bit for bit, from Python and from files."""
    write_small_checkpoint(workspace / 'a.pth', damping=recorded)
    drawn = []
    monkeypatch.setattr(
        predict_folder,
        'draw_overlay',
        lambda result, names, used, stretch: (
            drawn.append((result['maps'], used)) or np.zeros((2, 2, 3), np.uint8)
        ),
    )
    predict_to_folder('in/a.png', 'a.pth', 'o', damping=damping)
    inferencer = TCNNInferencer(checkpoint='a.pth')
    expected = inferencer('in/a.png', score_maps=True, damping=damping)[0]['maps']
    ((maps, used),) = drawn
    assert len(maps) == 1
    for name in maps:
        np.testing.assert_array_equal(maps[name], expected[name])
    assert used == (0 if damping == 0 else recorded or 20)
    assert inferencer.damping == (recorded or 20)


def test_chosen_classes_without_overlays(workspace):
    """Patches of the classes asked for; no overlay is written; a wrong class is an error."""
    done = predict_to_folder('in/a.png', 'a.pth', classes=['house', 'key'], overlays=False)
    (result,) = json.loads((workspace / 'predictions' / 'predictions.json').read_text())['images']
    assert list(result['patches']) == ['house', 'key'] and 'overlay' not in result
    written = sorted(path.name for path in (workspace / 'predictions').iterdir())
    assert written == ['predictions.json', 'predictions.jsonl']
    done.raise_for_errors()
    with pytest.raises(UserError, match='no class dog'):
        predict_to_folder('in/a.png', 'a.pth', classes=['dog'], overlays=False)
    with pytest.raises(UserError, match='at least 1'):
        predict_to_folder('in/a.png', 'a.pth', batch_size=0)


def test_the_summary_of_many_images_counts_labels():
    """Above ten images one line counts the images per label, unreadable ones left out."""
    results = [dict(img_path=f'{i}.png', scores={}, labels=['key'] * (i > 3)) for i in range(12)]
    done = predict_folder.Predictions('o/p.json', [*results, dict(error='x')], 'rule')
    first, rule, unknown, last = done.summary().split('\n')
    assert (first, rule) == ('key: 8 images, no class: 4 images', 'labels: rule')
    assert unknown.startswith('unfamiliar: unknown; the checkpoint keeps no training images')
    assert last == '12 images: o/p.json'


def test_outputs_are_not_read_as_images(workspace):
    """OUT inside the folder of images, or that folder: a second run, or another, reads the same."""
    for out in ('in/results', 'in'):
        for _ in range(2):
            done = predict_to_folder('in', 'a.pth', out)
            assert [r['img_path'] for r in done.results] == ['in/a.png', 'in/z.jpg', 'in/b/a.png']
    os.symlink('in/results', 'link')
    assert len(predict_to_folder('in', 'a.pth', 'link').results) == 3
    for given in ('in/overlays', 'in/overlays/a.png'):
        with pytest.raises(UserError, match='overlays are written there; give another --out than'):
            predict_to_folder([given], 'a.pth', 'in')
    assert len(predict_to_folder('in/overlays', 'a.pth', 'o').results) == 2


def test_an_image_given_several_times_is_one_result(workspace):
    """A folder and a file in it."""
    done = predict_to_folder(['in/b/a.png', 'in', 'in/a.png'], 'a.pth', overlays=False)
    assert [r['img_path'] for r in done.results] == ['in/b/a.png', 'in/a.png', 'in/z.jpg']


def test_scores_that_are_no_numbers(workspace, monkeypatch):
    """An error of that image alone, with status 1; the others of its batch have results."""
    score = PatchVoter.image_score
    calls = []

    def diverged(self, *given):
        calls.append(1)
        # The first image of the batch, then the same image alone.
        return score(self, *given) * (np.nan if len(calls) <= 2 else 1)

    monkeypatch.setattr(PatchVoter, 'image_score', diverged)
    done = predict_to_folder('in', 'a.pth', batch_size=3)
    with pytest.raises(UserError, match='2 of 3 images could not be predicted:\nin/a.png: its sc'):
        done.raise_for_errors()
    first, _, good = json.loads((workspace / 'predictions' / 'predictions.json').read_text())[
        'images'
    ]
    assert sorted(first) == ['error', 'img_path'] and good['scores']['key'] > 0
    assert 'scores are NaN or infinite: the weights are of a training that di' in first['error']
    with pytest.raises(UserError, match='image: its scores are NaN'):
        calls.clear()
        TCNNInferencer(checkpoint='a.pth')(np.zeros((60, 80, 3), np.uint8))


def test_the_json_is_strict():
    """NaN and infinity, at any depth, are null."""
    value = dict(a=[np.nan, 1.5, (np.inf,)], b=dict(c=-np.inf, d='NaN'))
    assert to_json(value) == '{"a": [null, 1.5, [null]], "b": {"c": null, "d": "NaN"}}'
