"""`tcnn weights`: what is found where, and downloads that are checked and can be forbidden."""

import hashlib

import pytest

from tcnn_mm.checkpoints.download import download
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.zoo import BACKBONES, weight_file
from tests.support.tool_module import run_command

CONTENT = b'weights'
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty TCNN_WEIGHTS."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path / 'w'))
    monkeypatch.delenv('TCNN_OFFLINE', raising=False)
    return tmp_path / 'w'


def test_list_and_where(folder, capsys):
    """Every backbone of fit, found or with the names looked for; where says folder and URL."""
    folder.mkdir()
    (folder / 'resnet18-0.pth').write_bytes(CONTENT)
    run_command('weights', 'list')
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(rows) == list(BACKBONES)
    assert rows['resnet18'] == str(folder / 'resnet18-0.pth')
    assert rows['minivoc'].endswith('minivoc_source.pth') and 'not found' not in rows['minivoc']
    assert rows['alexnet'].startswith('not found: alexnet-owt-7be5be79.pth or ')
    run_command('weights', 'where', 'resnet50')
    text = capsys.readouterr().out
    assert 'resnet50-*.pth' in text and str(folder) in text and 'https://' in text
    with pytest.raises(UserError, match='no backbone resnet; choose from'):
        run_command('weights', 'where', 'resnet')


def test_the_configs_own_file_comes_first(folder):
    """Of two files the one that the backbone's config names."""
    folder.mkdir()
    own = BACKBONES['mobilenet_v2'].weights
    for name in (own, 'mobilenet_v2-12345678.pth'):
        (folder / name).write_bytes(CONTENT)
    assert weight_file('mobilenet_v2').path == str(folder / own)


def test_offline_says_which_file_to_put_where(folder, monkeypatch):
    """TCNN_OFFLINE=1: one line with the URL and the path; '0' is not offline."""
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    with pytest.raises(UserError) as error:
        run_command('weights', 'get', 'resnet18')
    message = str(error.value)
    assert 'TCNN_OFFLINE' in message and '\n' not in message
    assert 'https://download.pytorch.org/models/resnet18-' in message and str(folder) in message
    assert not folder.exists()


def test_a_download_is_checked_and_whole_or_absent(folder, tmp_path):
    """The right hash: the file, fetched once. Another: an error, and no file."""
    good, bad = (tmp_path / f'net-{digest}.pth' for digest in (DIGEST, '00000000'))
    for path in (good, bad):
        path.write_bytes(CONTENT)
    path = download(good.as_uri(), str(folder))
    assert path == str(folder / good.name) and (folder / good.name).read_bytes() == CONTENT
    good.unlink()
    assert download(good.as_uri(), str(folder)) == path
    with pytest.raises(UserError, match='its sha256 is'):
        download(bad.as_uri(), str(folder))
    with pytest.raises(UserError, match='cannot be reached'):
        download((tmp_path / 'absent.pth').as_uri(), str(folder))
    assert [file.name for file in folder.iterdir()] == [good.name]
