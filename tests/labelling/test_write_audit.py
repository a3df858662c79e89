"""`tcnn audit` on a fit: files complete or absent, refusals, hostile names, Label Studio's form."""

import csv
import dataclasses
import json
import os
import re
import signal
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote
from xml.sax.saxutils import escape

import numpy as np
import pytest

from tcnn_mm.cli.main import main
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator import fit as fits
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.inference.predict_dataset import predict_dataset
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.labelling.audit_table import COLUMNS, reason
from tcnn_mm.labelling.held_out_run import read_held_out_run
from tcnn_mm.labelling.label_studio import served_root
from tcnn_mm.labelling.patch_evidence import patch_evidence
from tcnn_mm.labelling.write_audit import write_audit
from tests.support.own_data import drawn, write_voc
from tests.support.tiny_run import killed
from tests.support.voc_folder import write_voc_folder

FILES = ['audit.csv', 'audit.html', 'label_studio.json', 'label_studio.xml']
# Names of classes as an attacker writes them.
BLUE, RED = '<img src=x onerror=alert(1)>', '=cmd|"/c calc"!A1 & {{ 7*7 }}'


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Fits of 20 epochs, whose folds are trained in this process."""
    plan = fits.make_plan
    monkeypatch.setattr(
        fits, 'make_plan', lambda *a, **k: dataclasses.replace(plan(*a, **k), epochs=20)
    )
    monkeypatch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)


def write_data(folder):
    """Ten images, each of one class; image 2 is labelled with the other one."""
    names = {'blue': escape(BLUE), 'red': escape(RED)}
    images = {}
    for at, (name, image, kind, box) in enumerate(drawn(10)):
        given = {'blue': 'red', 'red': 'blue'}[kind] if at == 2 else kind
        images[name] = (image, [dict(name=names[given], box=box)])
    return write_voc_folder(folder, images)


@pytest.fixture
def fitted(tmp_path_factory, cache={}):  # noqa: B006
    """Folder of a fit by two folds, made once."""
    if not cache:
        folder = tmp_path_factory.mktemp('audited')
        data, out = write_data(folder / 'data'), folder / 'out'
        fits.fit(str(data), 'minivoc', str(out), scales=[1.0], folds=FoldOptions(2))
        cache['out'] = out
    return cache['out']


def listing(folder):
    """Every file below a folder with its time."""
    return {p: p.stat().st_mtime_ns for p in folder.rglob('*') if p.is_file()}


def test_table_and_checks_are_the_same(fitted, tmp_path):
    """A row per check, in their order; four files and nothing else is written."""
    before = listing(fitted)
    found = write_audit(str(fitted), str(tmp_path / 'out'))
    assert listing(fitted) == before
    assert sorted(os.listdir(tmp_path / 'out')) == FILES
    assert found.checks
    with open(tmp_path / 'out/audit.csv', encoding='utf-8', newline='') as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS and len(rows) == len(found.checks)
    for check, cells in zip(found.checks, rows, strict=True):
        row = dict(zip(header, cells, strict=True))
        names = ['' if k is None else found.classes[k] for k in (check.label, check.instead)]
        assert [row['kind'], row['image'], row['label'], row['instead']] == [
            check.kind, check.image_id, *names,
        ]  # fmt: skip
        assert os.path.isfile(row['file']) and float(row['score']) >= 0.05
        assert (row['box_x1'] == '') == (check.box is None)


def test_votes_are_of_the_head_that_did_not_see_the_image(fitted):
    """The evidence of each image is that of its fold's checkpoint, whatever the order."""
    run = read_held_out_run(str(fitted))
    bank = FeatureBank(str(fitted / 'banks/train'), windows=True, test_mode=True)
    for n in (0, 7, 9):
        head = fitted / f'folds/1_{run.folds[0, n] + 1}/epoch_20.pth'
        model = load_trained_model(str(head)).model
        (found,) = predict_dataset(model, bank, return_patches=True, indices=[n], progress=False)
        assert np.array_equal(found.scores, run.scores[0, n])
        image = run.images[n]
        again = patch_evidence(found.patch_boxes, found.patch_scores, image.boxes, image.box_labels)
        for mine, expected in zip(image.evidence, again, strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_names_are_escaped_on_the_page_and_in_the_interface(fitted, tmp_path):
    """No name becomes markup or a template; the page loads nothing; the XML is well-formed."""
    write_audit(str(fitted), str(tmp_path))
    page = (tmp_path / 'audit.html').read_text()
    assert '<img src=x' not in page and '&lt;img src=x onerror=alert(1)&gt;' in page
    assert '49' not in re.sub(r'data:[^"]*', '', page.partition('<main>')[2])
    assert set(re.findall(r'src="(\w+):', page)) == {'data'} and '<script' not in page
    root = ElementTree.fromstring((tmp_path / 'label_studio.xml').read_text())
    assert [each.get('value') for each in root.iter('Label')] == [BLUE, RED] or [
        each.get('value') for each in root.iter('Label')
    ] == [RED, BLUE]


def test_tasks_refer_to_the_interface_and_to_the_images(fitted, tmp_path):
    """Controls and labels of every result are in the interface; boxes come back to the pixel."""
    found = write_audit(str(fitted), str(tmp_path), count=3)
    tasks = json.loads((tmp_path / 'label_studio.json').read_text())
    root = ElementTree.fromstring((tmp_path / 'label_studio.xml').read_text())
    controls = {each.get('name'): each for each in root if each.get('toName')}
    labels = {each.get('value') for each in root.iter('Label')}
    images = [check.image_id for check in found.checks[:3]]
    assert [task['data']['image_id'] for task in tasks] == list(dict.fromkeys(images))
    for task in tasks:
        assert set(re.findall(r'\$(\w+)', (tmp_path / 'label_studio.xml').read_text())) <= {
            *task['data']
        }
        name = task['data']['image'].removeprefix('/data/local-files/?d=')
        path = os.path.join(served_root(found.images), unquote(name))
        assert os.path.isfile(path) and path.startswith(f'{found.images}/')
        results = [r for part in ('annotations', 'predictions') for r in task[part][0]['result']]
        for result in results:
            assert result['from_name'] in controls and result['type'] == 'rectanglelabels'
            assert {*result['value']['rectanglelabels']} <= labels
            assert (result['original_width'], result['original_height']) == (120, 90)
    first, run = found.checks[0], read_held_out_run(str(fitted))
    value = tasks[0]['annotations'][0]['result'][0]['value']
    x, y = value['x'] * 1.2, value['y'] * 0.9
    corners = [x, y, x + value['width'] * 1.2, y + value['height'] * 0.9]
    image = run.images[first.image]
    assert np.allclose(corners, image.boxes[0])
    assert value['rectanglelabels'] == [run.classes[image.box_labels[0]]]


def test_the_command_prints_the_surest_and_the_files(fitted, capsys, tmp_path):
    """From the folder of the fit or one inside it; the default is `audit` in the fit's folder."""
    main(['audit', str(fitted / 'folds'), '--out', str(tmp_path / 'a'), '--count', '2'])
    said = capsys.readouterr().out
    assert re.search(r'^\d+ to check: missing label \d+, wrong label \d+, box', said, re.M)
    assert re.search(r'^0\.\d\d  (missing|wrong) label  JPEGImages/image_\d.png: ', said, re.M)
    assert str(tmp_path / 'a/audit.html') in said
    more = re.search(r'(\d+) more are in audit.csv', (tmp_path / 'a/audit.html').read_text())
    checks = int(re.search(r'^(\d+) to check', said, re.M).group(1))
    assert (int(more.group(1)) if more else 0) == max(0, checks - 2)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')
@pytest.mark.parametrize('name', FILES)
def test_a_kill_leaves_no_half_file(fitted, tmp_path, monkeypatch, name):
    """kill -9 before a file is in its place: it is absent; the same command ends with all files."""
    replace, out = os.replace, tmp_path / 'out'

    def replacement(source, target, **options):
        if os.path.basename(os.fspath(target)) == name:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', replacement)
        assert killed(lambda: write_audit(str(fitted), str(out)))
    assert name not in os.listdir(out)
    write_audit(str(fitted), str(out))
    assert sorted(os.listdir(out)) == FILES


def test_a_fit_without_folds_or_an_unfinished_one_is_refused(fitted, tmp_path):
    """The message names the command that makes folds, or that goes on."""
    data = write_voc(tmp_path / 'data', count=12)
    fits.fit(str(data), 'minivoc', str(tmp_path / 'plain'), scales=[1.0])
    with pytest.raises(UserError, match='has no folds.*tcnn fit DATA --folds 5 --out ANOTHER'):
        write_audit(str(tmp_path / 'plain'))
    with pytest.raises(UserError, match='no config.py of a fit.*tcnn fit DATA --folds 5 --out'):
        write_audit(str(tmp_path))
    head = fitted / 'folds/1_2/epoch_20.pth'
    head.rename(tmp_path / 'head')
    with pytest.raises(UserError, match='1_2/epoch_20.pth: is missing; .* interrupted'):
        write_audit(str(fitted))
    (tmp_path / 'head').rename(head)
    assert not (fitted / 'audit').exists()


def test_reasons_have_the_figures(fitted):
    """Each kind in words, with classes and votes."""
    found = write_audit(str(fitted), str(fitted.parent / 'again'))
    for check in found.checks:
        text = reason(check, found.classes)
        assert any(found.classes[k] in text for k in check.classes)
        assert f'{check.own if np.isnan(check.vote) else check.vote:.2f}' in text or (
            f'{check.own:.2f}' in text
        )
