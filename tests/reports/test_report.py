"""A work dir as one page: complete, self-contained, honest about what is gone."""

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from tcnn_mm.errors import UserError
from tcnn_mm.reports.figures import choose
from tcnn_mm.reports.report import write_report
from tcnn_mm.reports.run_artifacts import join_scalars, read_scores, read_work_dir
from tests.support.runs import small_config, test, train

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
COUNT_BROKEN = """<script>addEventListener('load', () => { document.title = 'broken ' +
[...document.images].filter(i => !i.naturalWidth).length + ' of ' + document.images.length })
</script>"""


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A work dir with a training of two epochs and a test of 8 pictures."""
    folder = tmp_path_factory.mktemp('run')
    options = {
        'images': 8,
        'log_level': 'INFO',
        'default_hooks.logger.interval': 1,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    }
    train(small_config(folder, **options))
    test(small_config(folder, **options), folder / 'epoch_2.pth')
    return folder


@pytest.fixture(scope='module')
def page(run):
    return write_report(run, pictures=4)


class Reader(HTMLParser):
    """Tags that are open at the end, pictures, and where anything leads."""

    VOID = {'meta', 'link', 'img', 'br'}

    def __init__(self, text):
        super().__init__()
        self.open, self.pictures, self.targets, self.anchors = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == 'img':
            self.pictures.append(attrs)
        self.targets += [attrs[key] for key in ('src', 'href') if key in attrs]
        self.anchors.add(attrs.get('id'))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_holds_everything_and_needs_nothing(run, page):
    """Every class and its AP, curves, maps, sheets, config; each picture inside, with a text."""
    with open(page, encoding='utf-8') as file:
        text = file.read()
    reader = Reader(text)
    assert reader.open == [] and '<script' not in text and '<h3>' in text
    for target in reader.targets:
        assert target.startswith('data:') or target[1:] in reader.anchors
    assert all(len(picture['alt']) > 10 for picture in reader.pictures)
    alts = [picture['alt'] for picture in reader.pictures]
    (report,) = [r for r in json.loads((run / 'voc_ap.json').read_text()) if r['metric'] == 'voc10']
    for name, row in report['classes'].items():
        assert f'{name}, AP {100 * row["ap"]:.1f} %' in text
        assert any(alt.startswith(f'Score map of {name} over picture test_') for alt in alts)
        assert f'Contact sheet: patches with the highest scores for {name}' in alts
    assert 'Loss over' in text and 'Learning rate over' in text
    assert 'model = dict(' in text and 'PyTorch' in text and 'epoch_2.pth' in text
    assert 'class="note"' not in text


def test_what_is_gone_is_said(run, tmp_path):
    """No checkpoint, no log, no scores: a page with a note in the place of each."""
    moved = tmp_path / 'moved'
    moved.mkdir()
    (config,) = run.glob('*.py')
    # As it stands after a training: the test's names the checkpoint.
    (moved / config.name).write_text(
        re.sub(r"load_from = '.*'", 'load_from = None', config.read_text())
    )
    for name in ('voc_ap.json', 'image_scores.csv'):
        shutil.copy(run / name, moved)
    with open(write_report(moved), encoding='utf-8') as file:
        text = file.read()
    assert 'The checkpoint is gone' in text and 'No training log' in text
    assert 'Precision over recall' in text
    with open(write_report(run, tmp_path / 'other.html', checkpoint='no.pth')) as file:
        assert 'Pictures could not be drawn: no weights: no.pth' in file.read()
    scores = (moved / 'image_scores.csv').read_text()
    (moved / 'image_scores.csv').write_text(scores.replace('test_0003', 'elsewhere'))
    with open(write_report(moved)) as file:
        assert 'image_scores.csv has elsewhere, which is not in the data set' in file.read()
    os.remove(moved / 'image_scores.csv')
    os.remove(moved / 'voc_ap.json')
    with open(write_report(moved)) as file:
        text = file.read()
    assert 'No results' in text and 'There is no image_scores.csv' in text
    with pytest.raises(UserError, match='no config of a run'):
        write_report(tmp_path)


def browse(page, folder):
    """(DOM after loading, lines of the console) of a page in headless Chromium."""
    flags = (
        '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run '
        '--disable-background-networking --disable-component-update --disable-sync '
        '--enable-logging=stderr --dump-dom'
    )
    done = subprocess.run(
        [CHROMIUM, *flags.split(), f'--user-data-dir={folder}', f'file://{page}'],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, [line for line in done.stderr.splitlines() if 'CONSOLE' in line]


@pytest.mark.skipif(not CHROMIUM, reason='no chromium to open the page in')
def test_a_browser_has_nothing_to_complain_of(page, tmp_path):
    """Headless Chromium: nothing in the console, no broken picture; both would be noticed."""
    _, console = browse(page, tmp_path / 'profile')
    assert console == []
    with open(page, encoding='utf-8') as file:
        # The page's own policy lets no script in.
        text = re.sub(
            r'<meta http-equiv="Content-Security-Policy".*?>', COUNT_BROKEN, file.read(), flags=re.S
        )
    copy = tmp_path / 'counted.html'
    copy.write_text(text)
    dom, _ = browse(copy, tmp_path / 'profile')
    count = text.count('<img ')
    assert count > 15 and f'<title>broken 0 of {count}</title>' in dom
    copy.write_text(text.replace('base64,', 'base64,AAAA', 1) + '<script>console.error(1)</script>')
    dom, console = browse(copy, tmp_path / 'profile')
    assert f'<title>broken 1 of {count}</title>' in dom and len(console) == 1


def test_best_and_worst_pictures():
    """Half the best positives, a quarter false alarms, a quarter missed ones; none twice."""
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    labels = np.array([1, -1, 1, 0, 1, -1, 1, 1])
    chosen = {group: rows.tolist() for group, rows in choose(scores, labels, 4).items()}
    assert chosen == {'found': [0, 2], 'false alarms': [1], 'missed': [7]}
    chosen = {group: rows.tolist() for group, rows in choose(scores, labels, 12).items()}
    assert chosen == {'found': [0, 2, 4, 6, 7], 'false alarms': [1, 5], 'missed': []}


def test_a_later_run_takes_the_place_of_an_earlier():
    """Resumed at step 3, or begun anew: one line a step, the later run's; a test is no training."""

    def log(*steps, value=0):
        return [dict(step=step, loss=value) for step in steps]

    assert join_scalars([log(1, 2, 3, 4), log(3, 4, value=1), [{'voc10/mAP': 1, 'step': 0}]]) == [
        *log(1, 2), *log(3, 4, value=1),
    ]  # fmt: skip
    assert join_scalars([log(1, 2, 3), log(1, value=1)]) == log(1, value=1)


def test_a_work_dir_is_read_as_it_was_written(run):
    """Scores to the last bit, the tested checkpoint, the training's own config."""
    found = read_work_dir(run)
    assert found.checkpoint == str(run / 'epoch_2.pth') and found.training.train_cfg.max_epochs == 2
    assert found.environment['Python'].startswith('3.')
    scores = read_scores(run / 'image_scores.csv')
    assert scores.values.shape == (8, 6) and scores.ids[0] == 'test_0000'
