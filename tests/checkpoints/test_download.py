"""Downloads from a server on the loopback address: resumed, checked, complete or absent."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcnn_mm.checkpoints import download as module
from tcnn_mm.checkpoints.download import download, named_sha256
from tcnn_mm.errors import UserError
from tests.support.file_server import FileServer, serve_file

CONTENT = bytes(range(256)) * 4096  # 1 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = f'net-{SHA256[:8]}.pth'


def names(folder):
    """Files of a folder; Windows keeps those of locks."""
    return sorted(name for name in os.listdir(folder) if not name.endswith('.lock'))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server of CONTENT; the process may reach out."""
    with serve_file(monkeypatch, CONTENT) as server:
        server.target = f'/files/{NAME}'
        yield server


def test_a_file_is_fetched_once(server, tmp_path, caplog):
    """The whole file, its licence in the log; a second call asks the server nothing."""
    path = download(f'{server.url}/{NAME}?download=true', str(tmp_path), licence='MIT')
    assert path == str(tmp_path / NAME) and (tmp_path / NAME).read_bytes() == CONTENT
    assert names(tmp_path) == [NAME]
    assert download(f'{server.url}/{NAME}', str(tmp_path)) == path
    assert len(server.seen) == 1


def test_an_interrupted_download_goes_on(server, tmp_path):
    """Each connection asks for what is missing; nothing is fetched twice."""
    server.breaks = [300_000, 200_000]
    download(f'{server.url}/{NAME}', str(tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [first for _, first in server.seen] == [0, 300_000, 500_000]


def test_a_later_call_goes_on(server, tmp_path):
    """After too many interruptions the part stays, and the same command continues it."""
    server.breaks = [1000] * module.TRIES
    with pytest.raises(UserError, match='interrupted 4 times .*the same command goes on'):
        download(f'{server.url}/{NAME}', str(tmp_path))
    assert names(tmp_path) == [f'{NAME}.part']
    download(f'{server.url}/{NAME}', str(tmp_path))
    assert server.seen[-1][1] == 1000 * module.TRIES
    assert (tmp_path / NAME).read_bytes() == CONTENT and names(tmp_path) == [NAME]


def test_a_server_without_ranges(server, tmp_path):
    """It sends the whole file again, which replaces the part."""
    server.ranges, server.breaks = False, [300_000]
    download(f'{server.url}/{NAME}', str(tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [first for _, first in server.seen] == [0, 300_000]


def test_a_part_of_an_unknown_file_is_not_continued(server, tmp_path):
    """Without a hash nothing says that the part is of the same file: it starts anew."""
    (tmp_path / 'net.pth.part').write_bytes(b'of an older file')
    download(f'{server.url}/net.pth', str(tmp_path))
    assert (tmp_path / 'net.pth').read_bytes() == CONTENT
    assert server.seen == [('/net.pth', 0)]


def test_a_part_that_is_too_long(server, tmp_path):
    """The server refuses the range; the file is fetched from its start."""
    (tmp_path / f'{NAME}.part').write_bytes(CONTENT + b'more')
    download(f'{server.url}/{NAME}', str(tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize('said', ['name', 'argument'])
def test_another_hash(said, server, tmp_path):
    """The error says both hashes and the URL, and nothing is kept."""
    wrong = '0' * 64
    name = 'net-00000000.pth' if said == 'name' else 'net.pth'
    with pytest.raises(UserError, match=f'{name}: its sha256 is {SHA256}, expected 0000') as caught:
        download(f'{server.url}/{name}', str(tmp_path), sha256='' if said == 'name' else wrong)
    assert names(tmp_path) == [] and '\n' not in str(caught.value)


def test_a_damaged_part(server, tmp_path):
    """A part of another file ends in another hash, and the next call starts anew."""
    (tmp_path / f'{NAME}.part').write_bytes(b'other bytes')
    with pytest.raises(UserError, match='nothing was kept'):
        download(f'{server.url}/{NAME}', str(tmp_path))
    download(f'{server.url}/{NAME}', str(tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_redirect(server, tmp_path):
    """It is followed; the name is the one asked for."""
    path = download(f'{server.url}/moved', str(tmp_path), 'mine.pth', SHA256)
    assert path == str(tmp_path / 'mine.pth') and (tmp_path / 'mine.pth').read_bytes() == CONTENT


def test_no_such_file(server, tmp_path):
    """404 is one line with the code, the URL and the path, without another try."""
    with pytest.raises(UserError, match='answers 404 .*put it there') as caught:
        download(f'{server.url}/absent.pth', str(tmp_path))
    assert '\n' not in str(caught.value) and len(server.seen) == 1
    assert names(tmp_path) == []


def test_no_server(tmp_path, monkeypatch):
    """A refused connection is one line, without another try."""
    monkeypatch.delenv('TCNN_OFFLINE', raising=False)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    url = f'http://127.0.0.1:{port}/{NAME}'
    with pytest.raises(UserError, match='cannot be reached .*put it there') as caught:
        download(url, str(tmp_path))
    assert names(tmp_path) == []
    # The remedy: the file from elsewhere, at the path that is named.
    place = Path(str(caught.value).partition('put it there: ')[2])
    place.write_bytes(b'weights')
    assert download(url, str(tmp_path)) == str(place)


def test_offline(server, tmp_path, monkeypatch):
    """TCNN_OFFLINE=1: which file to put where, and no request; '0' is not offline."""
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    with pytest.raises(UserError) as caught:
        download(f'{server.url}/{NAME}', str(tmp_path / 'w'))
    assert f'get {server.url}/{NAME} and put it there: {tmp_path / "w" / NAME}' in str(caught.value)
    assert not server.seen and not (tmp_path / 'w').exists()
    monkeypatch.setenv('TCNN_OFFLINE', '0')
    download(f'{server.url}/{NAME}', str(tmp_path / 'w'))


def test_two_processes_fetch_it_once(server, tmp_path):
    """Whoever comes second waits for the lock and finds the file."""
    threads = [
        threading.Thread(target=download, args=(f'{server.url}/{NAME}', str(tmp_path)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 1 and names(tmp_path) == [NAME]


def test_hash_in_a_name():
    """torchvision's names say the beginning of the hash; others say nothing."""
    assert named_sha256('resnet50-11ad3fa6.pth') == '11ad3fa6'
    assert named_sha256('model.safetensors') == named_sha256('net-v2.pth') == ''
