"""A work directory as one page: complete, self-contained, with notes on what is missing."""

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.reports.report import write_report
from tests.support.read_only import as_a_user, read_only
from tests.support.time_limit import LONGEST

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
COUNT_BROKEN = """<script>addEventListener('load', () => { document.title = 'broken ' +
[...document.images].filter(i => !i.naturalWidth).length + ' of ' + document.images.length })
</script>"""


@pytest.fixture(scope='module')
def run(trained_run):
    """The work dir of a training of two epochs and a test of 12 images."""
    return trained_run.folder


@pytest.fixture(scope='module')
def page(run, tmp_path_factory):
    """The page of the run."""
    return write_report(run, tmp_path_factory.mktemp('page') / 'report.html', images=4)


class Reader(HTMLParser):
    """Open tags at the end, images, and targets of links and sources."""

    VOID = {'meta', 'link', 'img', 'br'}

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.targets, self.anchors = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == 'img':
            self.images.append(attrs)
        self.targets += [attrs[key] for key in ('src', 'href') if key in attrs]
        self.anchors.add(attrs.get('id'))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_complete_and_self_contained(run, page):
    """Every class and its AP, curves, maps, sheets, config; each image inside, with a text."""
    with open(page, encoding='utf-8') as file:
        text = file.read()
    reader = Reader(text)
    assert reader.open == [] and '<script' not in text and '<h3>' in text
    for target in reader.targets:
        assert target.startswith('data:') or target[1:] in reader.anchors
    assert all(len(image['alt']) > 10 for image in reader.images)
    alts = [image['alt'] for image in reader.images]
    (report,) = [r for r in json.loads((run / 'voc_ap.json').read_text()) if r['metric'] == 'voc10']
    for name, row in report['classes'].items():
        assert f'{name}, AP {100 * row["ap"]:.1f} %' in text
        drawn = re.compile(rf'Localization map over image test_\w+, rank \d+ of 12, .*: {name}, ')
        assert any(drawn.match(alt) for alt in alts)
        assert f'Contact sheet: patches with the highest scores for {name}' in alts
    assert 'Loss over' in text and 'Learning rate over' in text
    assert 'tcnn_mm.PatchClassifier' in text and 'PyTorch' in text and 'epoch_2.pth' in text
    assert text.count('class="note"') == 1 and 'The checkpoint has no calibration' in text
    recorded = load_safely(run / 'epoch_2.pth')['meta']['tcnn_mm']['damping']
    assert recorded == 20 and 'Maps are damped by 20.' in text


def test_notes_say_what_is_missing(run, tmp_path):
    """No checkpoint, no log, no scores: a page with a note in the place of each."""
    moved = tmp_path / 'moved'
    moved.mkdir()
    (config,) = run.glob('*.py')
    # As it stands after a training: the test's names the checkpoint.
    (moved / config.name).write_text(
        re.sub(r"load_from ?= ?'.*'", 'load_from = None', config.read_text())
    )
    for name in ('voc_ap.json', 'image_scores.csv'):
        shutil.copy(run / name, moved)
    with open(write_report(moved), encoding='utf-8') as file:
        text = file.read()
    assert 'The checkpoint is missing' in text and 'No training log' in text
    assert 'Precision over recall' in text
    with pytest.raises(UserError, match='no weights: no.pth'):
        write_report(run, tmp_path / 'other.html', checkpoint='no.pth')
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
        capture_output=True, text=True, timeout=LONGEST,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, [line for line in done.stderr.splitlines() if 'CONSOLE' in line]


@pytest.mark.skipif(not CHROMIUM, reason='no chromium to open the page in')
def test_a_browser_has_nothing_to_complain_of(page, tmp_path):
    """Headless Chromium: nothing in the console, no broken image; both would be noticed."""
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


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='gives up capabilities of Linux')
def test_a_folder_that_cannot_be_written_is_told_first(run, tmp_path, monkeypatch):
    """Before images pass the network: one line with the page and the option."""
    (tmp_path / 'pages').mkdir()
    monkeypatch.setattr('tcnn_mm.reports.report.collect_report', None)
    with read_only(tmp_path / 'pages'):
        message = as_a_user(lambda: write_report(run, tmp_path / 'pages' / 'a.html'))
    assert 'a.html: its folder cannot be written; give another path with --out' in message
