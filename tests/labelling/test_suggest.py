"""`tcnn suggest` on a fit: what is chosen, what is left out, files complete or absent, resumed."""

import csv
import dataclasses
import json
import os
import os.path as osp
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.cli.main import main
from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tcnn_mm.estimator import fit as fits
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.labelling import suggest_features
from tcnn_mm.labelling.suggest import NetworkOptions, suggest
from tcnn_mm.labelling.suggest_choice import TYPICAL, UNCERTAIN
from tcnn_mm.labelling.suggest_table import COLUMNS
from tests.support.own_data import drawn, write_voc

FILES = ['label_studio.json', 'label_studio.xml', 'suggestions.csv', 'suggestions.html',
         'suggestions.txt']  # fmt: skip
NAME = '<img src=x onerror=alert(1)> {{ 7*7 }}.png'


@pytest.fixture
def fitted(tmp_path_factory, monkeypatch, cache={}):  # noqa: B006
    """Folder of a fit of eight images by two folds, made once; its epochs are few."""
    plan = fits.make_plan
    monkeypatch.setattr(
        fits, 'make_plan', lambda *a, **k: dataclasses.replace(plan(*a, **k), epochs=20)
    )
    monkeypatch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)
    if not cache:
        folder = tmp_path_factory.mktemp('suggested')
        data, out = write_voc(folder / 'data'), folder / 'out'
        fits.fit(str(data), 'minivoc', str(out), scales=[1.0], folds=FoldOptions(2))
        cache['out'], cache['data'] = out, data
    return cache


@pytest.fixture
def pool(tmp_path):
    """A folder of six new images, a name of a hostile kind, and a copy of a labelled one."""
    folder = tmp_path / 'new'
    folder.mkdir()
    for at, (name, image, *_) in enumerate(drawn(14)):
        if at >= 8:
            Image.fromarray(image).save(folder / f'{name}.png')
    os.rename(folder / 'image_8.png', folder / NAME)
    Image.fromarray(drawn(1)[0][1]).save(folder / 'labelled_already.png')
    return folder


def listing(folder):
    """Every file below a folder with its time and size."""
    return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob('*') if p.is_file()}


def test_a_fit_of_folds_suggests_new_images_alone(fitted, pool, tmp_path):
    """Each image once, within the count, of both kinds, none that shows a labelled one."""
    before = listing(pool), listing(fitted['data'])
    found = suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'), count=4, typical=0.5)
    assert (listing(pool), listing(fitted['data'])) == before
    paths = [each.path for each in found.suggestions]
    assert len(paths) == len({*paths}) == 4
    assert found.pool.copies == [str(pool / 'labelled_already.png')]
    assert found.labelled == 8 and len(found.pool.images) == 6
    assert {each.pick.kind for each in found.suggestions} == {TYPICAL, UNCERTAIN}
    assert sorted(os.listdir(tmp_path / 'out')) == sorted(['features', *FILES])
    assert (tmp_path / 'out/suggestions.txt').read_text().splitlines() == paths
    with open(tmp_path / 'out/suggestions.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and [row['image'] for row in rows] == paths
    for row in rows:
        x1, y1, x2, y2 = (float(row[f'patch_{c}']) for c in ('x1', 'y1', 'x2', 'y2'))
        assert 0 <= x1 < x2 <= 120 and 0 <= y1 < y2 <= 90
        assert row['class'] in ('blue', 'red') and row['reason'].startswith(row['kind'])


def test_more_than_there_is(fitted, pool, tmp_path):
    """All new images, once each; of repeated ones one; a second time without the network."""
    shutil.copy(pool / 'image_9.png', pool / 'z.png')
    found = suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'), count=99)
    assert len({each.path for each in found.suggestions}) == 6
    assert found.pool.repeats == [str(pool / 'z.png')]


def test_the_order_of_the_paths_does_not_matter(fitted, pool, tmp_path):
    """Files given one by one, backwards: the same suggestions."""
    found = suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'a'), count=5)
    files = sorted(map(str, pool.iterdir()), reverse=True)
    other = suggest(str(fitted['out']), files, str(tmp_path / 'b'), count=5)
    assert [each.path for each in found.suggestions] == [each.path for each in other.suggestions]


def test_what_is_interrupted_goes_on(fitted, pool, tmp_path, monkeypatch):
    """Features of images that are done are not computed again; the files are those of one go."""
    whole, cut = tmp_path / 'whole', tmp_path / 'cut'
    suggest(str(fitted['out']), [str(pool)], str(whole), count=4)
    arrays = suggest_features.FeatureFolder._arrays
    done = []

    def counted(self, image, windows):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(image.content)
        return arrays(self, image, windows)

    monkeypatch.setattr(suggest_features.FeatureFolder, '_arrays', counted)
    with pytest.raises(KeyboardInterrupt):
        suggest(str(fitted['out']), [str(pool)], str(cut), count=4)
    assert os.listdir(cut) == ['features']
    first, done[:] = [*done], [None] * 4  # three of six are there; the others and the labelled
    suggest(str(fitted['out']), [str(pool)], str(cut), count=4)
    again = done[4:]
    assert not {*first} & {*again}
    for name in FILES:
        if name != 'label_studio.xml':
            assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    done[:] = [None] * 4
    suggest(str(fitted['out']), [str(pool)], str(cut), count=4)
    assert done == [None] * 4


def test_features_are_kept_for_images_that_were_moved(fitted, pool, tmp_path, monkeypatch):
    """A renamed image costs nothing; the folder of features may be shared."""
    shared = str(tmp_path / 'shared')
    suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'a'), features=shared)
    os.rename(pool / 'image_9.png', pool / 'other.png')
    monkeypatch.setattr(
        suggest_features.FeatureFolder, '_arrays', lambda *_: pytest.fail('computed again')
    )
    suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'b'), features=shared)


def test_without_a_fit_all_are_typical_and_different(pool, tmp_path):
    """A network alone: no classes; images named as labelled are left out."""
    labelled = tmp_path / 'labelled'
    labelled.mkdir()
    shutil.copy(pool / 'image_9.png', labelled)
    found = suggest(
        None, [str(pool)], str(tmp_path / 'out'), 3, [str(labelled)],
        network=NetworkOptions('minivoc'),
    )  # fmt: skip
    assert {each.pick.kind for each in found.suggestions} == {TYPICAL}
    assert len(found.suggestions) == 3 and found.classes == []
    assert str(pool / 'image_9.png') in found.pool.copies
    tasks = json.loads((tmp_path / 'out/label_studio.json').read_text())
    assert [task['predictions'] for task in tasks] == [[]] * 3


def test_pre_labels_are_in_the_form_of_the_labelling_tool(fitted, pool, tmp_path):
    """Boxes in per cent, of classes that the interface names; paths below the root."""
    found = suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'))
    tasks = json.loads((tmp_path / 'out/label_studio.json').read_text())
    assert len(tasks) == len(found.suggestions) and found.folder == str(pool)
    results = [r for task in tasks for p in task['predictions'] for r in p['result']]
    assert results
    for result in results:
        value = result['value']
        assert result['type'] == 'rectanglelabels' and value['rectanglelabels'][0] in found.classes
        assert 0 <= value['x'] < value['x'] + value['width'] <= 100.001
    assert '<Label value="blue"/>' in (tmp_path / 'out/label_studio.xml').read_text()


def test_pre_labels_that_are_accepted_are_read_back(fitted, pool, tmp_path):
    """Predictions made to annotations, in a file beside the images: the same boxes in pixels."""
    (pool / NAME).unlink()
    suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'))
    tasks = json.loads((tmp_path / 'out/label_studio.json').read_text())
    for task in tasks:
        task['annotations'] = [dict(result=p['result']) for p in task.pop('predictions')]
    (pool / 'project.json').write_text(json.dumps([t for t in tasks if t['annotations']]))
    found = read_data(str(pool), ReadOptions(allow_missing=True, unannotated='skip'))
    boxes = {
        (item.checked.image.file, o.name, *(round(v, 1) for v in o.box))
        for item in found.images
        for o in item.checked.image.objects
    }
    with open(tmp_path / 'out/suggestions.csv', encoding='utf-8', newline='') as file:
        likely = {osp.basename(row['image']): row['likely'] for row in csv.DictReader(file)}
    assert boxes and all(name in likely[osp.basename(path)] for path, name, *_ in boxes)
    assert all(0 <= x1 < x2 <= 120 and 0 <= y1 < y2 <= 90 for *_, x1, y1, x2, y2 in boxes)


def test_the_page_escapes_names_and_loads_nothing(fitted, pool, tmp_path):
    """A file name is text; no script, no link; one thumbnail per image."""
    suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'))
    page = (tmp_path / 'out/suggestions.html').read_text(encoding='utf-8')
    assert '<img src=x' not in page and '&lt;img src=x' in page and '{{ 7*7 }}' in page
    assert '<script' not in page and not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('<figure') == 6 and page.count('src="data:image/jpeg') == 6


def test_an_image_that_cannot_be_read_is_named(fitted, pool, tmp_path, capsys):
    """The others are suggested; the status is 1."""
    (pool / 'broken.png').write_bytes(b'no image')
    with pytest.raises(SystemExit) as end:
        main(
            ['suggest', str(fitted['out']), '--unlabelled', str(pool), '--out', str(tmp_path / 'o')]
        )
    said = capsys.readouterr()
    assert end.value.code == 1 and 'broken.png' in said.err
    assert '1 image cannot be read' in said.out and (tmp_path / 'o/suggestions.html').exists()


@pytest.mark.parametrize('what', ['folder', 'checkpoint', 'run'])
def test_a_fit_is_found_by_its_parts(fitted, pool, tmp_path, what):
    """Its folder, the run inside it, its checkpoint: the same labelled images."""
    out = fitted['out']
    given = dict(folder=out, run=out / 'run', checkpoint=out / 'run/epoch_20.pth')[what]
    found = suggest(str(given), [str(pool)], str(tmp_path / 'out'), 2)
    assert found.labelled == 8


def test_a_checkpoint_alone_suggests_by_dropout(fitted, pool, tmp_path):
    """Without the folder of its fit no labelled image is known, unless named."""
    alone = tmp_path / 'model.pth'
    shutil.copy(fitted['out'] / 'run/epoch_20.pth', alone)
    found = suggest(str(alone), [str(pool)], str(tmp_path / 'out'), 3)
    assert found.labelled == 0 and len(found.suggestions) == 3
    named = suggest(
        str(alone), [str(pool)], str(tmp_path / 'out'), 3, [str(fitted['data'] / 'JPEGImages')]
    )
    assert named.labelled == 8


def test_refusals(fitted, tmp_path):
    """What cannot be used is one line that says what to do."""
    (tmp_path / 'empty').mkdir()
    for run, paths, network, message in (
        (str(fitted['out']), [str(tmp_path / 'none')], None, 'no such folder or image'),
        (str(fitted['out']), [str(tmp_path / 'empty')], None, 'no images'),
        (str(tmp_path / 'empty'), [__file__], None, 'no checkpoint in this folder'),
        (str(fitted['out']), [__file__], NetworkOptions('minivoc'), '--backbone'),
    ):
        with pytest.raises(UserError, match=message):
            suggest(run, paths, str(tmp_path / 'out'), network=network)
    assert not (tmp_path / 'out').exists()


def test_vote_of_heads_is_reported(fitted, pool, tmp_path):
    """Probabilities of two folds, in [0, 1]; the patch's vote too."""
    found = suggest(str(fitted['out']), [str(pool)], str(tmp_path / 'out'))
    for each in found.suggestions:
        assert each.judgement.probabilities.shape == (2, 2)
        assert np.all((each.judgement.probabilities >= 0) & (each.judgement.probabilities <= 1))
        assert 0 <= each.judgement.vote <= 1
