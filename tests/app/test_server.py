"""The page is served, its API answers, and nothing is fetched from elsewhere."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.app.server import require_gradio, serving
from tcnn_mm.cli.main import main
from tcnn_mm.cli.process_settings import KERNELS
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tests.support.chromium import find_chromium, open_chromium
from tests.support.small_checkpoint import CLASSES, write_small_checkpoint

# The figures are there, and their pixels.
SHOWN = """
(found => found.length >= 3 && found.every(image => image.complete && image.naturalWidth))(
    [...document.querySelectorAll('#figures img')])
"""
# What a process of its own does: no connection beyond this machine, then the command.
OFFLINE = """
import socket, sys
inner = socket.socket.connect
def connect(self, address):
    if isinstance(address, tuple) and address[0] not in ('127.0.0.1', '::1', 'localhost'):
        print('REACHED OUT', address, flush=True)
        raise OSError('offline')
    return inner(self, address)
socket.socket.connect = connect
from tcnn_mm.cli.main import main
main(sys.argv[1:])
"""


def variables() -> dict[str, str]:
    """Those of the environment that neither pytest nor a command in this process changes."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('PYTEST') and name != KERNELS[0]
    }


@pytest.fixture(scope='module')
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """`address` of a page, its `inferencer`, and an image at `path`."""
    pytest.importorskip('gradio', reason="needs pip install 'tcnn_mm[app]'")
    folder = tmp_path_factory.mktemp('served')
    thresholds = dict.fromkeys(CLASSES, 0.0)
    write_small_checkpoint(folder / 'a.pth', thresholds, feature_mode='dense')
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    pixels[20:40, 30:60] = (220, 40, 30)
    Image.fromarray(pixels).save(folder / 'photo.png')
    inferencer = TCNNInferencer(checkpoint=folder / 'a.pth', device='cpu')
    environment = variables()
    with serving(inferencer, 'a.pth') as address:
        yield SimpleNamespace(
            address=address, inferencer=inferencer, path=folder / 'photo.png', folder=folder
        )
    assert variables() == environment


@pytest.fixture
def client(served: SimpleNamespace, tmp_path: Path) -> object:
    import gradio_client

    return gradio_client.Client(served.address, verbose=False, download_files=str(tmp_path))


def test_the_page_is_for_this_machine_alone(served: SimpleNamespace) -> None:
    """By default."""
    assert served.address.startswith('http://127.0.0.1:78')


def test_predict_by_http(served: SimpleNamespace, client: object) -> None:
    """`/predict` gives what the inferencer gives; classes may be chosen."""
    from gradio_client import handle_file

    found = client.predict(image=handle_file(served.path), classes=[], api_name='/predict')
    expected = served.inferencer(str(served.path))[0]
    assert found['scores'] == pytest.approx(expected['scores'])
    assert set(found['labels']) == set(CLASSES) == set(found['patches'])
    one = client.predict(image=handle_file(served.path), classes=['key'], api_name='/predict')
    assert one['patches']['key'][0]['box'] == pytest.approx(
        expected['patches']['key'][0]['box'], abs=1e-3
    )
    json.dumps(found, allow_nan=False)


def test_show_by_http(served: SimpleNamespace, client: object) -> None:
    """`/show` gives a table and PNG files."""
    from gradio_client import handle_file

    table, figures = client.predict(
        image=handle_file(served.path), classes=['fish'], api_name='/show'
    )
    assert '<td>fish</td>' in table and len(figures) == 1
    assert figures[0]['caption'].startswith('fish, image score')
    with Image.open(figures[0]['image']) as image:
        assert image.format == 'PNG' and image.width > 300


def test_errors_by_http_are_one_line(served: SimpleNamespace, client: object) -> None:
    """Of a file that is no image; of no image; and the server goes on."""
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    for content, name in ((b'no image', 'broken.jpg'), (b'<svg/>', 'drawing.svg')):
        broken = served.folder / name
        broken.write_bytes(content)
        with pytest.raises(AppError) as error:
            client.predict(image=handle_file(broken), classes=[], api_name='/predict')
        assert '\n' not in str(error.value) and str(served.folder) not in str(error.value)
    with pytest.raises(AppError, match='no image was given'):
        client.predict(image=None, classes=[], api_name='/predict')
    assert client.predict(image=handle_file(served.path), classes=[], api_name='/predict')


def test_files_of_the_server_cannot_be_read(served: SimpleNamespace) -> None:
    """A path that was not uploaded is refused, in a call and in an address."""
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError, match='403|404'):
        urllib.request.urlopen(f'{served.address}gradio_api/file={served.path}')
    # As any program calls it: gradio_client would upload the file first.
    file = dict(path=str(served.path), meta=dict(_type='gradio.FileData'))
    call = urllib.request.Request(
        f'{served.address}gradio_api/call/predict',
        json.dumps(dict(data=[file, []])).encode(),
        {'Content-Type': 'application/json'},
    )
    event = json.load(urllib.request.urlopen(call))['event_id']
    with urllib.request.urlopen(f'{served.address}gradio_api/call/predict/{event}') as stream:
        answered = stream.read().decode()
    assert 'event: error' in answered and 'scores' not in answered


def test_the_page_in_a_browser(served: SimpleNamespace, tmp_path: Path) -> None:
    """An image is dropped, a click shows table and figures; nothing comes from another host."""
    program = find_chromium()
    if program is None:
        pytest.skip('needs chromium: apt-get install chromium')
    with open_chromium(program, tmp_path / 'profile') as page:
        page.open(served.address)
        page.wait_for(
            "document.querySelector('#predict') && document.querySelector('input[type=file]')"
        )
        page.choose_file('input[type=file]', served.path)
        page.wait_for("document.querySelector('img[src*=photo]')")
        page.evaluate("document.querySelector('#predict').click()")
        page.wait_for("document.querySelectorAll('#table tr.label').length == 3")
        page.wait_for(SHOWN)
        page.screenshot(Path(os.environ.get('TCNN_SCREENSHOTS', tmp_path)) / 'app.png')
        own = served.address.rstrip('/')
        fetched = [url for url in page.requests if url.partition(':')[0] in ('http', 'https')]
        assert fetched and [url for url in fetched if not url.startswith(own)] == []


def test_a_port_that_is_taken_is_one_line(served: SimpleNamespace) -> None:
    """With what to do."""
    port = int(served.address.rstrip('/').rpartition(':')[2])
    again = serving(served.inferencer, 'a.pth', port=port)
    with pytest.raises(UserError, match=rf'cannot listen on 127.0.0.1, port {port}.*--port'):
        again.__enter__()


def test_a_missing_gradio_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(UserError, match=r"pip install 'tcnn_mm\[app\]'"):
        require_gradio()


def test_a_model_of_boxes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """In one line, before a page is made."""
    write_small_checkpoint(tmp_path / 'a.pth', sampler=dict(type='tcnn_mm.ObjectSquareSampler'))
    with pytest.raises(SystemExit):
        main(['app', '--checkpoint', str(tmp_path / 'a.pth')])
    assert "square around a person's box" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_offline(tmp_path: Path) -> None:
    """It prints its address, reaches nothing but this machine, leaves no file, ends by Ctrl-C."""
    pytest.importorskip('gradio', reason="needs pip install 'tcnn_mm[app]'")
    import gradio_client

    write_small_checkpoint(tmp_path / 'a.pth')
    Image.new('RGB', (80, 60)).save(tmp_path / 'photo.png')
    (tmp_path / 'tmp').mkdir()
    child = subprocess.Popen(
        [sys.executable, '-c', OFFLINE, 'app', '--checkpoint', 'a.pth'],
        cwd=tmp_path,
        env=dict(os.environ, TMPDIR=str(tmp_path / 'tmp'), PYTHONUNBUFFERED='1'),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        lines = iter(child.stdout)
        line = next(line for line in lines if line.startswith('http'))
        client = gradio_client.Client(line.split()[0], verbose=False)
        image = gradio_client.handle_file(tmp_path / 'photo.png')
        assert client.predict(image=image, classes=[], api_name='/predict')['labels']
        child.send_signal(signal.SIGINT)
        rest = list(lines)
        assert child.wait(60) == 130 and rest[-1] == 'interrupted\n', rest
    finally:
        child.kill()
    assert not [text for text in rest if 'REACHED OUT' in text]
    assert sorted(path.name for path in (tmp_path / 'tmp').iterdir()) == []
