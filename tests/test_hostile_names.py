"""Ids, paths and names of classes as an attacker writes them: nothing leaves the folder named."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.visualization import Visualizer
from mmpretrain.structures import DataSample
from PIL import Image

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.result_files import write_results
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.visualization.curves import training_curve
from tcnn_mm.visualization.score_map import ScoreMapVisualizer
from tcnn_mm.visualization.score_map_hook import ScoreMapHook
from tests.support.small_checkpoint import write_small_checkpoint

# Ids of images, as a list, a CSV or a COCO file may hold them.
IDS = (
    '../../evil', '/tmp/absolute_evil', '..', '.', '', 'a/../../../evil', 'a/b', 'a/../a/b', '//',
    'line\nend', '~/evil', 'c:\\evil', '\x00nul', 'x' * 5000, 'x/' * 5000 + 'y', '$(evil)',
    '{{evil}}',
)  # fmt: skip
# Of classes: matplotlib's formulas (half ones raise), markup, a very long one.
CLASSES = (
    '$\\frac{$', '$x', 'a_$^$_b', '<script>alert(1)</script>', '{{ 7*7 }}', '%s', '../evil',
    '猫' * 300,
)  # fmt: skip


def files(folder):
    """Every file below a folder, as real paths."""
    return {
        os.path.realpath(os.path.join(at, n)) for at, _, names in os.walk(folder) for n in names
    }


def test_score_maps_stay_in_their_folder(tmp_path):
    """One PNG per image, whatever its id and its class; other backends get names without `..`."""
    work_dir, shown = tmp_path / 'deep' / 'er' / 'work', []
    visualizer = Visualizer()
    visualizer._vis_backends = dict(
        spy=SimpleNamespace(add_image=lambda name, image, step: shown.append(name))
    )
    runner = SimpleNamespace(
        test_dataloader=SimpleNamespace(
            dataset=SimpleNamespace(metainfo=dict(classes=CLASSES)),
        ),
        model=SimpleNamespace(set_test_options=lambda **options: None),
        work_dir=str(work_dir),
        visualizer=visualizer,
        iter=0,
    )
    samples = []
    for i, name in enumerate(IDS):
        scores = torch.zeros(len(CLASSES)).index_fill_(0, torch.tensor([i % len(CLASSES)]), 1)
        sample = DataSample(metainfo=dict(img_id=name)).set_pred_score(scores)
        sample.set_field(torch.tensor([[0.0, 0, 8, 8]]), 'patch_boxes')
        sample.set_field(scores[None], 'patch_scores')
        samples.append(sample)
    hook = ScoreMapHook(max_images=99, top=1, long_side=8)
    hook.before_test_epoch(runner)
    images = torch.zeros(len(IDS), 3, 8, 8, dtype=torch.uint8)
    hook.after_test_iter(runner, 0, dict(inputs=images), samples)
    folder = os.path.realpath(work_dir / 'score_maps') + os.sep
    found = files(tmp_path)
    assert len(found) == len(IDS) and all(path.startswith(folder) for path in found)
    assert not os.path.exists('/tmp/absolute_evil.png')
    assert len(set(shown)) == len(IDS)
    assert all(name.startswith('score_maps/') and '..' not in name.split('/') for name in shown)


@pytest.mark.parametrize('name', CLASSES)
def test_names_are_drawn_as_they_are(name):
    """A half formula raised after hours of training; a dollar sign is a letter."""
    image, maps = np.zeros((8, 8, 3), np.uint8), np.ones((1, 8, 8), np.float32)
    box = [[1, 1, 5, 5]]
    drawn = ScoreMapVisualizer().draw_score_maps(image, maps, [name], box, [name], [name])
    assert drawn.std() > 0
    rows = [dict(step=i, **{f'{name}/mAP': 1.0, 'mAP': 2.0}) for i in range(2)]
    figure = training_curve(rows, {f'{name}/mAP': f'{name}/mAP', 'mAP': 'mAP'}, 'mAP %')
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == [f'{name}/mAP', 'mAP']


def test_predictions_stay_in_out(tmp_path, monkeypatch):
    """Absolute paths, `..`, names of classes: overlays are below OUT, nothing else is written."""
    (tmp_path / 'work').mkdir()
    monkeypatch.chdir(tmp_path / 'work')
    write_small_checkpoint(tmp_path / 'a.pth', classes=CLASSES[:3])
    folder = tmp_path / 'elsewhere' / '..a'
    folder.mkdir(parents=True)
    names = ['...png', '..\\evil.png', '$(evil).png', '-o.png', '~.png', '\n.png']
    random = np.random.default_rng(0)
    for name in names:
        Image.fromarray(random.integers(0, 255, (30, 30, 3), np.uint8)).save(folder / name, 'PNG')
    before = files(tmp_path)
    given = ['../elsewhere/..a', str(folder / names[0]), f'{folder}/../..a/{names[1]}']
    done = predict_to_folder(given, '../a.pth', 'o')
    # The folder does not give its hidden files.
    assert len(done.results) == len(names) and not any('error' in r for r in done.results)
    new = files(tmp_path) - before
    assert len(new) == len(done.results) + 2
    assert all(path.startswith(os.path.realpath('o') + os.sep) for path in new)


@pytest.mark.parametrize('classes, split', [(['a', '../../evil'], 'test'), (['a'], '../evil')])
def test_result_files_stay_in_their_folder(tmp_path, classes, split):
    """A name with a slash is one line; no file is written."""
    scores = np.zeros((1, len(classes)))
    with pytest.raises(UserError, match=r'evil" has a "/": rename it'):
        write_results(str(tmp_path / 'o' / 'p'), 'comp2', split, classes, [('x',)], scores)
    assert not files(tmp_path)
