"""A fit that was killed goes on and ends bit-equal; a finished one says what it reuses."""

import dataclasses
import errno
import json
import logging
import os
import signal
import threading
import time

import pytest
from mmengine.logging import MMLogger
from PIL import Image

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.owner_lock import owner_lock
from tcnn_mm.errors import UserError
from tcnn_mm.estimator import fit as fits
from tests.support.own_data import write_voc
from tests.support.runs import assert_same_state
from tests.support.tiny_run import killed

needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')
RESULTS = ('results.txt', 'run/voc_ap.json', 'run/image_scores.csv', 'run/image_scores_val.csv')


@pytest.fixture(autouse=True)
def two_epochs(monkeypatch):
    """Fits of two epochs."""
    plan = fits.make_plan
    monkeypatch.setattr(
        fits, 'make_plan', lambda *a, **k: dataclasses.replace(plan(*a, **k), epochs=2)
    )


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder of ten images."""
    return write_voc(tmp_path_factory.mktemp('data') / 'data', count=10)


@pytest.fixture
def whole(data, tmp_path_factory, cache={}):  # noqa: B006
    """What a fit that nothing disturbs leaves; made once."""
    if not cache:
        folder = tmp_path_factory.mktemp('whole') / 'out'
        start = time.perf_counter()
        run(data, folder)
        cache.update(folder=folder, left=left(folder), seconds=time.perf_counter() - start)
    return cache


def run(data, out):
    """Fit with one scale."""
    return fits.fit(str(data), 'minivoc', str(out), scales=[1.0])


def left(out):
    """Weights, momentum, thresholds and results."""
    content = load_safely(out / 'run' / 'epoch_2.pth')
    return dict(
        weights=content['state_dict'],
        optimizer=content['optimizer'],
        thresholds=content['meta']['tcnn_mm']['thresholds'],
        calibration=content['meta']['tcnn_mm']['calibration'],
        results={name: (out / name).read_bytes() for name in RESULTS},
        overlays=sorted(p.name for p in (out / 'run' / 'score_maps').rglob('*.png')),
    )


def assert_whole(out, expected):
    """The same content, and no temporary file, lock or draft."""
    assert_same_state(left(out), expected)
    assert (out / 'report.html').stat().st_size > 1000
    names = [name for _, folders, files in os.walk(out) for name in (*folders, *files)]
    assert not [name for name in names if '.tmp' in name or name.endswith(('.lock', '.part'))]


# What a fit writes, in this order; each is renamed into its place. (Name, turn.)
WRITES = [
    ('records.json', 1), ('train.txt', 1), ('test.txt', 1), ('config.py', 1), ('manifest.json', 1),
    ('train', 1), ('manifest.json', 2), ('test', 1), ('epoch_1.pth', 1), ('last_checkpoint', 1),
    ('epoch_2.pth', 1), ('last_checkpoint', 2), ('voc_ap_val.json', 1), ('epoch_2.pth', 2),
    ('image_8.png.png', 1), ('voc_ap.json', 1), ('image_scores.csv', 1), ('results.txt', 1),
    ('tested.txt', 1), ('report.html', 1),
]  # fmt: skip
SLOW = [
    pytest.param(name, turn, when, marks=pytest.mark.slow)
    for name, turn in WRITES
    for when in ('before', 'after')
]


@needs_fork
@pytest.mark.parametrize('name, turn, when', [('image_scores_val.csv', 1, 'before'), *SLOW])
def test_a_kill_at_any_write(data, whole, tmp_path, monkeypatch, name, turn, when):
    """kill -9 at that moment; the same command ends bit-equal and leaves nothing else."""
    replace, calls = os.replace, []

    def replacement(source, target, **options):
        hit = os.path.basename(os.fspath(target)) == name
        calls.extend([1] * hit)
        at = hit and len(calls) == turn
        if at and when == 'before':
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target, **options)
        if at:
            os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', replacement)
        assert killed(lambda: run(data, tmp_path / 'out'))
    run(data, tmp_path / 'out')
    assert_whole(tmp_path / 'out', whole['left'])


@pytest.mark.parametrize(
    'name, turn',
    [WRITES[0], *(pytest.param(*write, marks=pytest.mark.slow) for write in WRITES[1:])],
)
def test_a_full_disk_at_any_write(data, whole, tmp_path, monkeypatch, name, turn):
    """ENOSPC at that moment is one line; with room the same command ends bit-equal."""
    replace, calls = os.replace, []

    def replacement(source, target, **options):
        calls.extend([1] * (os.path.basename(os.fspath(target)) == name))
        if len(calls) == turn:
            calls.append(1)
            raise OSError(errno.ENOSPC, 'No space left on device')
        replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', replacement)
        with pytest.raises(UserError, match='No space left on device.*make room'):
            run(data, tmp_path / 'out')
    run(data, tmp_path / 'out')
    assert_whole(tmp_path / 'out', whole['left'])


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize('moment', range(20))
def test_a_kill_at_any_time(data, whole, tmp_path, moment):
    """kill -9 after any time, not at a write alone."""
    child = os.fork()
    if child == 0:
        try:
            run(data, tmp_path / 'out')
        finally:
            os._exit(0)
    ended = threading.Timer((moment + 0.5) / 20 * whole['seconds'], os.kill, (child, 9))
    ended.start()
    os.waitpid(child, 0)
    ended.cancel()
    run(data, tmp_path / 'out')
    assert_whole(tmp_path / 'out', whole['left'])


@pytest.fixture
def said():
    """Lines that the fit logs, whatever the level of the current logger."""
    lines, logger = [], MMLogger.get_instance('mmengine')
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_a_finished_fit_says_what_it_reuses(data, whole, said, capsys):
    """Each of six steps has a line, also after a Runner; nothing is written again."""
    out = whole['folder']
    before = {p: p.stat().st_mtime_ns for p in out.rglob('*') if 'splits' not in p.parts}
    stale = out / 'run' / 'epoch_2.pth.999999999.tmp'
    stale.touch()
    said.clear()
    run(data, out)
    text = '\n'.join(said)
    for line in (
        '[1/6]', f'{out}/config.py exists', '[2/6]', '[3/6]', 'epoch_2.pth exists: trained',
        '[4/6]', 'epoch_2.pth has them', '[5/6]', 'results.txt is of this checkpoint: not tested',
        '[6/6]', 'report.html exists: not written again', f'removed {stale}',
    ):  # fmt: skip
        assert line in text, line
    assert (out / 'results.txt').read_text() in capsys.readouterr().out
    kept = {p: p.stat().st_mtime_ns for p in out.rglob('*') if p.is_file()}
    assert {p: t for p, t in kept.items() if p in before and before[p] != t} == {}


def test_two_fits_in_one_folder(data, whole):
    """One works, the other says so in one line."""
    out = whole['folder']

    def never(owner):
        raise AssertionError(owner)

    busy = pytest.raises(UserError, match=rf'{out}: process {os.getpid()} on .* is fitting')
    with owner_lock(out / 'fit.lock', never), busy:
        run(data, out)
    run(data, out)


def test_a_fit_of_edited_data_is_not_continued(whole, tmp_path, monkeypatch):
    """Annotations and images are those of the training, or an error names what changed."""
    root, out = write_voc(tmp_path / 'data', count=10), tmp_path / 'out'
    monkeypatch.setattr(fits, 'train', lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(root, out)
    records = out / 'splits' / 'records.json'
    content = records.read_bytes()
    xml = root / 'Annotations' / 'image_3.xml'
    text = xml.read_text()
    xml.write_text(text.replace('<name>red</name>', '<name>blue</name>'))
    assert xml.read_text() != text
    with pytest.raises(UserError, match=r'annotations of 1 image \(.*image_3.png\) changed'):
        run(root, out)
    assert records.read_bytes() == content
    xml.write_text(text)
    name = json.loads(content)['images'][4]['file']
    Image.new('RGB', Image.open(name).size).save(name, 'JPEG')
    with pytest.raises(UserError, match=r'were replaced since this bank.*give another --out, or'):
        run(root, out)
