"""Addresses in the place of image files: fetched, or one line that says why not."""

import http.server
import io
import threading

import pytest
from PIL import Image

from tcnn_mm.datasets import remote_files
from tcnn_mm.datasets.image_io import load_rgb, read_bytes
from tcnn_mm.errors import UserError


@pytest.fixture
def address():
    """Of a server of this machine that has one image, a text, and nothing else."""
    png = io.BytesIO()
    Image.new('RGB', (3, 2), (7, 8, 9)).save(png, 'PNG')
    files = {'/a.png': png.getvalue(), '/page.png': b'<html>sign in</html>'}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200 if self.path in files else 404)
            self.end_headers()
            self.wfile.write(files.get(self.path, b''))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def test_an_image_of_a_server_is_read(address):
    """The same pixels as from a file."""
    assert load_rgb(f'{address}/a.png').shape == (2, 3, 3)
    assert read_bytes(f'{address}/a.png').startswith(b'\x89PNG')


def test_what_a_server_does_not_give(address, monkeypatch):
    """The address and the reason; never a damaged image, which nobody has seen."""
    with pytest.raises(UserError, match=r'/b.png: the server answers 404'):
        load_rgb(f'{address}/b.png')
    with pytest.raises(UserError, match='page.png: not an image that can be read'):
        load_rgb(f'{address}/page.png')
    with pytest.raises(UserError, match=r'127.0.0.1:9/a.png: cannot be fetched .*refused.*; down'):
        load_rgb('http://127.0.0.1:9/a.png')
    monkeypatch.setattr(remote_files, 'LARGEST', 10)
    with pytest.raises(UserError, match='larger than 0 MB; download the file'):
        load_rgb(f'{address}/a.png')
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    with pytest.raises(UserError, match='TCNN_OFFLINE is set, so it is not fetched'):
        load_rgb(f'{address}/a.png')


@pytest.mark.parametrize('name', ['ftp://host/a.png', 'file:///a.png', 's3://bucket/a.png'])
def test_addresses_that_nothing_reads(name):
    """Unknown prefixes, and stores whose package is missing."""
    with pytest.raises(UserError, match=f'{name}: an address that cannot be read here.*download'):
        load_rgb(name)
