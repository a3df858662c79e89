"""score_submission: AP of files equals the metrics' own, by class files and by annotations."""

import sys

import numpy as np
import pytest

from tcnn_mm.datasets import VOCAction, VOCObjects
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import ACTIONS
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.result_files import read_results, write_results
from tcnn_mm.evaluation.score_submission import score_submission
from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.tool_module import load_tool
from tests.support.voc_folder import write_voc_folder

tool = load_tool('score_submission')


def write_objects(root):
    """40 images with up to three objects, some difficult; returns the data set."""
    random, images = np.random.default_rng(0), {}
    for i in range(40):
        names = random.choice(VOC_CLASSES[:6], random.integers(0, 4))
        objects = [
            dict(name=str(n), box=(1, 1, 9, 9), difficult=random.random() < 0.3) for n in names
        ]
        images[f'{i:04d}'] = (np.zeros((9, 9, 3), np.uint8), objects)
    write_voc_folder(root, images, dict(val=list(images)))
    return VOCObjects(str(root), 'val')


def write_persons(root):
    images = draw_persons(0, 20, several=4)
    write_action_folder(root, images, dict(val=list(images)), class_files=False)
    return VOCAction(str(root), 'val', test_mode=True)


@pytest.fixture(params=[('comp2', VOC_CLASSES), ('comp10', ACTIONS)], ids=['objects', 'actions'])
def scored(request, tmp_path):
    """(root, competition, classes, keys, labels, scores) with results written below `root`."""
    comp, classes = request.param
    dataset = (write_objects if comp == 'comp2' else write_persons)(tmp_path)
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    keys = [tuple(str(i[k]) for k in ('img_id', 'object_index') if k in i) for i in items]
    labels = np.array(
        [image_labels(i['gt_label'], i['gt_label_difficult'], len(classes)) for i in items]
    )
    scores = np.round(np.random.default_rng(1).random(labels.shape), 2)
    write_results(str(tmp_path), comp, 'val', classes, keys, scores)
    return tmp_path, comp, classes, keys, labels, scores


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, 'argv', ['score_submission.py', *map(str, arguments)])
    tool.main()
    return capsys.readouterr().out


def test_the_annotations_are_the_truth(scored, monkeypatch, capsys):
    """Without class files: each class's AP as `voc_ap` has it, from tree and archive alike."""
    root, comp, classes, _, labels, scores = scored
    said = run(monkeypatch, capsys, root / 'results', root)
    assert f'{comp} val, voc10, truth of the annotations' in said
    rows = {line.split()[0]: line.split()[1] for line in said.splitlines() if line.strip()}
    for k, name in enumerate(classes):
        assert rows[name] == f'{100 * voc_ap(scores[:, k], labels[:, k], "voc10"):.2f}'
    archive = root / f'results_{comp}_val.tar.gz'
    assert run(monkeypatch, capsys, archive, root, '--comp', comp, '--split', 'val') == said
    eleven = run(monkeypatch, capsys, archive, root, '--mode', 'voc07')
    assert 'voc07' in eleven and eleven != said


def test_class_files_are_asked_first(scored, monkeypatch, capsys):
    """With the official class files the AP is theirs, also where a line is missing."""
    root, comp, classes, keys, labels, scores = scored
    folder = root / 'ImageSets' / ('Main' if comp == 'comp2' else 'Action')
    for k, name in enumerate(classes):
        rows = [f'{" ".join(key)} {labels[i, k]:2d}\n' for i, key in enumerate(keys)]
        (folder / f'{name}_val.txt').write_text(''.join(rows))
    found = read_results(str(root / 'results'))[comp, 'val']
    del found[classes[0]][keys[3]]
    report, source = score_submission(found, str(root), comp, 'val', classes)
    assert source == 'class files'
    scores[3, 0] = -np.inf
    for k, name in enumerate(classes):
        expected = voc_ap(scores[:, k], labels[:, k], 'voc10')
        ap = report['classes'][name]['ap']
        assert np.isnan(expected) if ap is None else ap == pytest.approx(expected, abs=1e-12)
    assert (report.get('persons') is None) == (comp == 'comp2')
    (folder / f'{classes[0]}_val.txt').write_text('0001 yes\n')
    with pytest.raises(UserError, match='ends in no label'):
        score_submission(found, str(root), comp, 'val', classes)


def test_what_is_missing_is_named(scored, monkeypatch, capsys):
    """A class without results, an image that is not of the split, another competition."""
    root, comp, classes, *_ = scored
    with pytest.raises(UserError, match='nothing of comp comp1'):
        run(monkeypatch, capsys, root / 'results', root, '--comp', 'comp1')
    found = read_results(str(root / 'results'))[comp, 'val']
    with pytest.raises(UserError, match=f'{comp}_val_{classes[1]}: x/1 is not in the split'):
        score_submission({**found, classes[1]: {('x', '1'): 0.5}}, str(root), comp, 'val', classes)
    del found[classes[2]]
    with pytest.raises(UserError, match=f'no results for {classes[2]};'):
        score_submission(found, str(root), comp, 'val', classes)
    some = [name for name in classes if name != classes[2]]
    report, _ = score_submission(found, str(root), comp, 'val', some)
    assert list(report['classes']) == some
