"""Whatever ends a prediction: finished batches are kept, and the same call ends bit-equal."""

import errno
import json
import os
import shutil
import signal
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.cli.main import main
from tcnn_mm.errors import UserError
from tcnn_mm.inference import predict_folder
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.inference.results_file import ResultsFile
from tests.support.small_checkpoint import write_small_checkpoint
from tests.support.tiny_run import killed

LOADED = {}
needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills a child process')


def drawn(result, names, damping, stretch):
    """A drawing in no time."""
    return result['image'] // 2


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """A checkpoint, five images of one that cannot be read, results of an uninterrupted run."""
    folder = tmp_path_factory.mktemp('work')
    write_small_checkpoint(folder / 'a.pth')
    random = np.random.default_rng(0)
    (folder / 'in').mkdir()
    for name in 'abcd':
        pixels = random.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(folder / 'in' / f'{name}.png')
    (folder / 'in' / 'bad.png').write_bytes(b'no image')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict_folder, 'draw_overlay', drawn)
        predict(folder, 'whole')
    return folder


@pytest.fixture(autouse=True)
def one_model(work, monkeypatch):
    """Load the model once; draw nothing; no bars, whose thread and locks a child has by halves."""
    bar = SimpleNamespace(update=lambda number: None, close=lambda: None)
    monkeypatch.setattr(predict_folder, 'progress_bar', lambda total, unit: bar)
    monkeypatch.setattr(predict_folder, 'draw_overlay', drawn)
    load = predict_folder.TCNNInferencer
    monkeypatch.setattr(
        predict_folder,
        'TCNNInferencer',
        lambda config, checkpoint, device, trust: (
            LOADED.get(checkpoint)
            or LOADED.setdefault(checkpoint, load(config, checkpoint, device, trust=trust))
        ),
    )


def predict(work, out, **options):
    """Predict on the images of `work`, two at a time."""
    return predict_to_folder(
        str(work / 'in'), str(work / 'a.pth'), str(work / out), batch_size=2, **options
    )


def contents(folder):
    """The files below a folder and their bytes; of the JSONL, which has no order, its lines."""
    found = {}
    for path in folder.rglob('*'):
        if path.is_file():
            data = path.read_bytes()
            found[str(path.relative_to(folder))] = (
                set(data.splitlines()) if path.suffix == '.jsonl' else data
            )
    return found


def fault(monkeypatch, where, turn, action):
    """Do `action` at the `turn`-th append to the results, or rename of a file that is whole."""
    calls = dict(count=0)
    name, _, moment = where.partition('-')
    owner, name = dict(append=(ResultsFile, '_append'), replace=(os, 'replace'))[name]
    original = getattr(owner, name)

    def replacement(*arguments):
        calls['count'] += 1
        if calls['count'] != turn:
            return original(*arguments)
        if moment == 'half':
            file, entries = arguments
            text = ''.join(json.dumps(entry) + '\n' for entry in entries)
            with open(file.path, 'ab') as raw:
                raw.write(text.encode()[: len(text) * 3 // 4])
        elif moment == 'after':
            original(*arguments)
        action()

    monkeypatch.setattr(owner, name, replacement)


# The first append is the head; a batch of two has two overlays, then one append.
MOMENTS = [
    ('append', 1), ('append-half', 1), ('append-after', 1), ('replace', 1), ('replace-after', 2),
    ('append', 2), ('append-half', 2), ('append-after', 2), ('replace', 3), ('append-half', 3),
    ('append', 4), ('append-half', 4), ('append-after', 4), ('replace', 5), ('replace-after', 5),
]  # fmt: skip


@needs_fork
@pytest.mark.parametrize('where, turn', MOMENTS)
def test_a_kill_at_any_write(work, monkeypatch, where, turn):
    """kill -9 at that moment loses one batch at most; the same call ends as if it had not been."""
    out = work / f'{where}{turn}'
    with monkeypatch.context() as patch:
        fault(patch, where, turn, lambda: os.kill(os.getpid(), signal.SIGKILL))
        assert killed(lambda: predict(work, out.name))
    for overlay in (out / 'overlays').glob('*.png'):
        Image.open(overlay).load()  # whole, or absent
    passed, batch = [], predict_folder.TCNNInferencer
    with monkeypatch.context() as patch:
        inferencer = batch(None, str(work / 'a.pth'), None, False)
        one = type(inferencer).predict_batch
        patch.setattr(
            type(inferencer),
            'predict_batch',
            lambda self, images, *more: passed.extend(images) or one(self, images, *more),
        )
        predict(work, out.name)
    appended = turn - 1 + (where == 'append-after') if 'append' in where else (turn - 1) // 2 + 1
    finished = min(5, 2 * max(0, appended - 1))
    # The image that cannot be read, second of the second batch, is tried again.
    assert len(passed) <= 5 - finished + 1
    assert contents(out) == contents(work / 'whole')
    shutil.rmtree(out)


@pytest.mark.parametrize('where, turn', [m for m in MOMENTS if 'after' not in m[0]])
def test_a_full_disk_at_any_write(work, monkeypatch, where, turn):
    """An error that names the file; nothing half is left, and the same call goes on."""
    out = work / f'{where}{turn}'

    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        fault(patch, where, turn, full)
        with pytest.raises(OSError, match='No space left') as error:
            predict(work, out.name)
        assert where != 'replace' or str(out) in str(error.value)
    assert not list(out.rglob('*.tmp*'))
    predict(work, out.name)
    assert contents(out) == contents(work / 'whole')
    shutil.rmtree(out)


def test_a_disk_that_takes_half_a_write(work, tmp_path, monkeypatch):
    """The half line is cut off at once, and the error names the file."""
    import resource

    file = ResultsFile(str(tmp_path / 'r.jsonl'), dict(checkpoint='a'))
    size = os.path.getsize(file.path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with file, pytest.raises(OSError, match='r.jsonl'):
            file.append([dict(img_path='x' * 100, error='e')])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.path.getsize(file.path) == size


@needs_fork
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command(work, number, monkeypatch):
    """SIGTERM and Ctrl-C: no traceback; finished batches are kept; the same command ends it."""
    out = work / f'signal{number}'
    words = ['predict', work / 'in', '--checkpoint', work / 'a.pth', '--out', out]
    child = os.fork()
    if child == 0:
        # A shell that starts tests in the background ignores Ctrl-C for them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        append = ResultsFile.append
        monkeypatch.setattr(ResultsFile, 'append', lambda *given: append(*given) or time.sleep(60))
        os.dup2(os.open(work / 'stderr', os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.stderr = os.fdopen(2, 'w')
        try:
            main([*map(str, words), '--batch-size', '2'])
        except SystemExit as end:
            sys.stderr.flush()
            os._exit(end.code)
        finally:
            os._exit(1)
    lines, end = out / 'predictions.jsonl', time.monotonic() + 60
    while not (lines.exists() and lines.read_bytes().count(b'\n') == 3):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(child, number)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == (130 if number == signal.SIGINT else -number)
    said = (work / 'stderr').read_text()
    assert 'Traceback' not in said and said.endswith('interrupted\n') == (number == signal.SIGINT)
    predict(work, out.name)
    assert contents(out) == contents(work / 'whole')


def test_a_finished_prediction_is_not_repeated(work, monkeypatch):
    """Only new and changed images, and those that could not be read, pass the network again."""
    images = work / 'more'
    shutil.copytree(work / 'in', images)
    first = predict_to_folder(str(images), str(work / 'a.pth'), str(work / 'again'))
    shutil.copy(images / 'a.png', images / 'bad.png')
    shutil.copy(images / 'a.png', images / 'new.png')
    shutil.copy(images / 'c.png', images / 'b.png')
    (work / 'again' / 'overlays' / 'd.png').unlink()
    inferencer = predict_folder.TCNNInferencer(None, str(work / 'a.pth'), None, False)
    seen, one = [], type(inferencer).predict_batch
    monkeypatch.setattr(
        type(inferencer),
        'predict_batch',
        lambda self, images, *more: (
            seen.append([os.path.basename(i) for i in images]) or one(self, images, *more)
        ),
    )
    for images_given in (images, [images, images / 'a.png']):
        second = predict_to_folder(images_given, str(work / 'a.pth'), str(work / 'again'))
    assert seen == [['a.png', 'b.png', 'bad.png', 'c.png'], ['d.png', 'new.png']]
    names = [os.path.basename(result['img_path']) for result in second.results]
    assert names == sorted(os.listdir(images)) and not any('error' in r for r in second.results)
    assert second.results[1]['scores'] == pytest.approx(first.results[3]['scores'], abs=1e-6)
    overlays = [result['overlay'] for result in second.results]
    assert overlays == [f'overlays/{name}' for name in names]


@pytest.mark.parametrize(
    'change, said',
    [
        (dict(damping=3), 'damping: 20.0?, now 3'),
        (dict(classes=['fish']), r"shown: None, now \['fish'\]"),
        (dict(overlays=False), 'overlays: True, now False'),
        (dict(upright=True), 'upright: False, now True'),
        ('b.pth', r'checkpoint: .*a\.pth, now .*b\.pth'),
    ],
)
def test_results_of_another_prediction_are_not_mixed(work, change, said):
    """One line that says what differs and what to do; the results stay."""
    before = contents(work / 'whole')
    options = change if isinstance(change, dict) else {}
    if not options:
        write_small_checkpoint(
            work / change, damping=20, thresholds=dict(key=None, fish=0.5, house=None)
        )
    checkpoint = 'a.pth' if options else change
    with pytest.raises(UserError, match=f'results of another prediction.*{said}.*another --out'):
        predict_to_folder(str(work / 'in'), str(work / checkpoint), str(work / 'whole'), **options)
    assert contents(work / 'whole') == before


def test_a_moved_checkpoint_is_the_same(work):
    """Its content counts, not its path."""
    shutil.copy(work / 'a.pth', work / 'moved.pth')
    predict_to_folder(str(work / 'in'), str(work / 'moved.pth'), str(work / 'whole'), batch_size=2)
    path = work / 'whole' / 'predictions.json'
    assert json.loads(path.read_text())['checkpoint'] == str(work / 'moved.pth')
    predict(work, 'whole')


def test_two_processes_do_not_mix_their_lines(work):
    """The second one is told; after the first one's end it goes on."""
    head = json.loads((work / 'whole' / 'predictions.jsonl').read_bytes().splitlines()[0])
    with (
        ResultsFile(str(work / 'whole' / 'predictions.jsonl'), head),
        pytest.raises(UserError, match='another process writes it'),
    ):
        predict(work, 'whole')
    predict(work, 'whole')


@pytest.mark.parametrize('line', [b'\0\0\0\n', b'[1]\n', b'{"img_path": 3}\n', b'{"a": \xff}\n'])
def test_a_line_that_is_no_result(tmp_path, line):
    """It is named; nothing is dropped in silence."""
    path = tmp_path / 'r.jsonl'
    with ResultsFile(str(path), dict(checkpoint='a')):
        pass
    with open(path, 'ab') as file:
        file.write(line)
    with pytest.raises(UserError, match='r.jsonl, line 2: no result of tcnn predict; remove'):
        ResultsFile(str(path), dict(checkpoint='a'))
