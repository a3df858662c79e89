"""The commands around a finished checkpoint: predict, choose thresholds, publish."""

import json

import numpy as np
import pytest
import torch

from tcnn_mm.analysis.prediction_cache import image_scores
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.registry import DATASETS
from tests.support.small_checkpoint import CLASSES
from tests.support.tool_module import run_command, run_tool_main
from tests.support.voc_folder import write_voc_folder


def test_predict_writes_and_then_fails_for_an_unreadable_image(workspace, capsys):
    """Arguments reach the function; the summary is printed before the error."""
    arguments = ('in', '--checkpoint', 'a.pth', '--out', 'o', '--no-overlays', '--damping', '3')
    with pytest.raises(UserError, match='1 of 3 images could not be predicted'):
        run_command('predict', *arguments)
    written = json.loads((workspace / 'o' / 'predictions.json').read_text())
    assert written['damping'] == 3 and len(written['images']) == 3
    assert 'labels: no thresholds' in capsys.readouterr().out


def test_thresholds_are_chosen_on_val_and_stored(workspace, monkeypatch, capsys):
    """Those of best F1 on the val split; how many were trained on is said and kept."""
    random = np.random.default_rng(1)
    images = {
        str(i): (
            random.integers(0, 255, (70, 70, 3), np.uint8),
            [dict(name=CLASSES[i % 2], box=(5, 5, 60, 60))],
        )
        for i in range(6)
    }
    splits = dict(train=['0', '1'], val=list('12345'), test=['0'])
    write_voc_folder(workspace / 'set', images, splits)
    dataset = (
        f"dict(type='tcnn_mm.VOCObjects', data_root='{workspace}/set', split='{{}}', "
        f'metainfo=dict(classes={CLASSES}), allow_empty=True, test_mode=True, pipeline=['
        "dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')])"
    )
    (workspace / 'c.py').write_text(f'test_dataloader = dict(dataset={dataset.format("test")})\n')
    content = load_safely('a.pth')
    content['meta']['cfg'] = (
        content['meta']['cfg'].split('train_dataloader')[0]
        + f'train_dataloader = dict(dataset={dataset.format("train")})\n'
    )
    torch.save(content, 'b.pth')
    run_tool_main(monkeypatch, 'choose_thresholds', 'c.py', 'b.pth', '--work-dir', 'w')
    said = capsys.readouterr().out
    assert '1 of the 5 images were trained on' in said and 'never named' in said
    stored = load_safely('b.pth')['meta']['tcnn_mm']
    assert stored['thresholds_chosen_on'] == '5 images of val, 1 of them trained on'
    assert 'calibration' not in stored and 'No probabilities are stored' in said
    val = DATASETS.build({**eval(dataset.format('val'))})
    rows = image_scores(TCNNInferencer(checkpoint='b.pth').model, val)
    expected, _ = best_thresholds(rows['scores'], rows['labels'])
    assert stored['thresholds']['house'] is None and np.isnan(expected[2])
    assert [stored['thresholds'][name] for name in CLASSES[:2]] == expected[:2].tolist()


@pytest.mark.parametrize('name', ['p.pth', 'p.safetensors'])
def test_a_published_file_predicts_as_before(name, workspace, monkeypatch):
    """No optimizer; classes, config and thresholds are kept: the same labels and scores."""
    if name.endswith('safetensors'):
        pytest.importorskip('safetensors', reason='needs safetensors')
    content = load_safely('a.pth')
    content['meta']['tcnn_mm']['thresholds'] = dict.fromkeys(CLASSES, 0.0)
    torch.save(content, 'a.pth')
    run_tool_main(monkeypatch, 'publish_model', 'a.pth', name)
    assert set(load_safely(name)) == {'meta', 'state_dict'}
    first, second = (TCNNInferencer(checkpoint=path)('in/a.png')[0] for path in ('a.pth', name))
    assert first == second and len(first['labels']) == 3
    with pytest.raises(UserError, match='must end in .safetensors'):
        run_tool_main(monkeypatch, 'publish_model', 'a.pth', 'x.pth', '--safetensors')
