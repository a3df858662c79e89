"""Backbones of mmpretrain's index: found by name, fetched, checked, probed and loaded."""

import os
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from tcnn_mm.checkpoints.mmpretrain_index import index_entries, mmpretrain_file, mmpretrain_names
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import write_config
from tcnn_mm.models.backbones.mmpretrain_network import mmpretrain_features, mmpretrain_network
from tcnn_mm.models.backbones.zoo import find_backbone, find_weights, weight_file
from tests.support.file_server import serve_file
from tests.support.own_data import write_voc
from tests.support.small_index import NAME, tiny_backbone, write_index
from tests.support.tool_module import run_command

BGR = dict(size=64, mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0), channel_order='bgr')


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """An empty TCNN_WEIGHTS."""
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path / 'w'))
    mmpretrain_network.cache_clear()
    return tmp_path / 'w'


@pytest.fixture
def served(tmp_path, monkeypatch, weights):
    """A small index whose weights a local server has."""
    with serve_file(monkeypatch, b'') as server:
        index = write_index(tmp_path / 'mim', monkeypatch, server.url)
        server.content = index.content
        yield server, index
    mmpretrain_network.cache_clear()


def test_every_file_of_the_index_is_described():
    """URL, name, hash and licence of all weights that mmpretrain publishes, by form."""
    assert len(mmpretrain_names()) > 400
    for name in mmpretrain_names():
        file = mmpretrain_file(name)
        assert file.url.startswith('https://') and file.licence, name
        assert re.fullmatch(r'[\w.+-]+-[0-9a-f]{8}\.pth', file.file), name
        assert file.file.endswith(f'-{file.sha256}.pth'), name
        assert (file.licence == 'not stated') == bool(file.notes), name
        assert os.path.isfile(index_entries()[name.lower()].config), name


def test_names():
    """In any case; never without the library's name; unknown ones are answered by near ones."""
    assert find_backbone('mmpretrain:ResNet50_8xb32_in1k').source == 'mmpretrain'
    with pytest.raises(UserError, match='no backbone resnet50_8xb32_in1k; near it: mmpretrain:re'):
        find_backbone('resnet50_8xb32_in1k')
    with pytest.raises(UserError, match='near it: mmpretrain:resnet50_8xb32_in1k, ') as error:
        find_backbone('mmpretrain:resnet50_8xb32_in1')
    assert '\n' not in str(error.value) and 'timm' not in str(error.value)


@pytest.mark.parametrize(
    'name, pixels',
    [
        (
            'resnet50_8xb32_in1k',
            dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), channel_order='rgb'),
        ),
        (
            'regnetx-400mf_8xb128_in1k',
            dict(mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), channel_order='bgr'),
        ),
        ('resnet18_8xb16_cifar10', dict(size=32, channel_order='rgb')),
    ],
)
def test_pixels_are_those_of_the_config(name, pixels):
    """Mean, std and order of the data preprocessor, size of the last crop; CIFAR is read as RGB."""
    found = mmpretrain_network(name).pixels
    assert found == {**dict(found, size=224), **pixels}


@pytest.mark.parametrize(
    'name, width, dense',
    [
        ('mobilenet-v2_8xb32_in1k', 1280, True),
        ('deit-tiny_4xb256_in1k', 192, False),
        ('levit-128s_3rdparty_in1k', 384, False),
    ],
)
def test_features_of_the_index(name, width, dense):
    """A map that dense mode can use, or the vector that the head gets, with its width."""
    found = mmpretrain_features(name, 224)
    assert found.said.startswith('dense mode' if dense else 'crop mode, because')
    backbone = MODELS.build(found.model['backbone'])
    backbone.eval()
    with torch.no_grad():
        out = backbone(torch.zeros(1, 3, 224, 224))[-1]
    assert out.shape[1] == width and (out.dim() == 4) >= dense


@pytest.mark.parametrize(
    'name, reason',
    [
        ('vgg11_8xb32_in1k', 'ends with the scores of its own classes'),
        ('hrnet-w18_3rdparty_8xb32_in1k', 'necks .HRFuseScales, GlobalAveragePooling.'),
        ('cn-clip_resnet50_zeroshot-cls_cifar100', 'ChineseCLIP has no backbone of its own'),
        ('replknet-31B_3rdparty_in1k', 'its config .* cannot be read'),
        ('conformer-tiny-p16_3rdparty_in1k', 'ends with 2 features'),
        ('mlp-mixer-base-p16_3rdparty_64xb64_in1k', '768 tokens for 224×224 pixels'),
    ],
)
def test_networks_that_cannot_be_used(name, reason):
    """One line: the name, why, and how to find others."""
    with pytest.raises(UserError, match=f'^mmpretrain:{name}: .*{reason}.*tcnn weights list') as e:
        mmpretrain_features(name, 224)
    assert '\n' not in str(e.value)


def test_a_broken_index(tmp_path, monkeypatch):
    """Names the file and what installs it again."""
    write_index(tmp_path / 'mim', monkeypatch, 'http://127.0.0.1:9')
    (tmp_path / 'mim' / 'metafile.yml').write_text('Models: [')
    with pytest.raises(UserError, match=r'metafile.yml: .*pip install --force-reinstall'):
        mmpretrain_names()


def test_the_list_and_one_file(served, capsys):
    """Licence, accuracy, URL, hash, pixels and origin are said."""
    _, index = served
    run_command('weights', 'list', 'mmpretrain:*')
    rows = [line.split(maxsplit=4) for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows[0] == [f'mmpretrain:{NAME}', 'Apache-2.0', '-', '12.5', '(tcnn weights get)']
    run_command('weights', 'where', f'mmpretrain:{NAME}')
    text = capsys.readouterr().out
    for part in (index.file, f'/v0/{index.file}', index.file[-12:-4], 'size 64', 'order bgr'):
        assert part in text
    run_command('weights', 'where', 'mmpretrain:tiny_3rdparty_in1k')
    text = capsys.readouterr().out
    assert 'licence: not stated' in text and 'note: converted from https://host/code' in text


def test_a_file_is_fetched_and_checked(served, weights, capsys, monkeypatch):
    """Once, from the URL of the index; another content is refused; offline: what to put where."""
    server, index = served
    name = f'mmpretrain:{NAME}'
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    with pytest.raises(UserError, match=f'TCNN_OFFLINE is set, so {index.file}') as error:
        run_command('weights', 'get', name)
    assert '\n' not in str(error.value)
    monkeypatch.delenv('TCNN_OFFLINE')
    server.content = b'other'
    with pytest.raises(UserError, match=f'its sha256 is .*, expected {index.file[-12:-4]}'):
        run_command('weights', 'get', name)
    server.content = index.content
    for _ in range(2):
        run_command('weights', 'get', name)
        assert capsys.readouterr().out.splitlines()[-1] == str(weights / index.file)
    assert len(server.seen) == 2 and (weights / index.file).read_bytes() == index.content
    found = find_weights(name)
    assert found.model == dict(pretrained=str(weights / index.file), preprocessing=BGR)
    assert weight_file(name).pixels == BGR


def test_a_fit_is_planned_with_its_features(served, weights, tmp_path):
    """Fetched weights, pixels, mode and width are in the config; the model holds the weights."""
    _, index = served
    root = write_voc(tmp_path / 'data', count=10)
    plan = make_plan(str(root), f'mmpretrain:{NAME}', str(tmp_path / 'out'))
    assert "mmpretrain's own file" in plan.weights.said and 'dense mode' in plan.weights.said
    model = MODELS.build(Config.fromfile(write_config(plan)).model)
    model.init_weights()
    assert model.preprocessing == {**model.preprocessing, **BGR}
    assert model.head.FCa.in_features == plan.head['in_channels'] == 64
    own = model.backbone.state_dict()
    stored = torch.load(weights / index.file, weights_only=True)['state_dict']
    assert all(torch.equal(own[key], stored[f'backbone.{key}']) for key in own)


def test_weights_of_another_network(served, tmp_path):
    """A file that does not fit: one line with what is missing."""
    path = tmp_path / 'other.pth'
    torch.save({'stem.weight': tiny_backbone().conv1.weight.detach()}, path)
    root = write_voc(tmp_path / 'data', count=10)
    with pytest.raises(UserError, match='does not hold this backbone; missing: backbone'):
        make_plan(
            str(root), f'mmpretrain:{NAME}', str(tmp_path / 'out'), str(path), pixels='imagenet'
        )
