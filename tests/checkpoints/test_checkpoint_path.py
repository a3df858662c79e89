"""A path that is no checkpoint is an error that names the file to give; that file then loads."""

import os
import shlex

import pytest
import torch

from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A work dir with two checkpoints and mmengine's note, in a folder with quotes; moved since."""
    folder = tmp_path / "it's" / 'run'
    folder.mkdir(parents=True)
    for number in (2, 10):
        torch.save(dict(state_dict=dict(n=torch.tensor(number))), folder / f'epoch_{number}.pth')
    (folder / 'last_checkpoint').write_text('/gone/run/epoch_10.pth')
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize('name', ["it's", "it's/run", "it's/run/", "it's/run/last_checkpoint"])
def test_the_file_that_is_named_loads(run, name):
    """Of a work dir, of the folder of a fit around it, of last_checkpoint: the newest one."""
    with pytest.raises(UserError, match=r'give (its newest checkpoint|that one): ') as refused:
        load_safely(name)
    (given,) = shlex.split(str(refused.value).rpartition(': ')[2])
    assert load_safely(given)['state_dict']['n'] == 10


def test_folders_without_a_run(tmp_path):
    """Weight files in it are listed; without any the suffixes are said."""
    with pytest.raises(UserError, match=r'holds no checkpoint: give a file \(.pth, '):
        check_checkpoint_path(tmp_path)
    for name in 'abcd':
        (tmp_path / f'{name}.safetensors').touch()
    with pytest.raises(UserError, match='give a file of it: a.safetensors, b.*c.safetensors, …'):
        check_checkpoint_path(tmp_path)


def test_a_missing_file(run, tmp_path, monkeypatch):
    """What is in its folder; the folder of weights is named for weights alone."""
    with pytest.raises(UserError, match='epoch_3.pth; in that folder: epoch_10.pth'):
        check_checkpoint_path(run / 'epoch_3.pth')
    with pytest.raises(UserError, match='there is no folder .*nowhere'):
        check_checkpoint_path('nowhere/a.pth')
    with pytest.raises(UserError) as refused:
        check_checkpoint_path('a.pth')
    assert 'TCNN_WEIGHTS' not in str(refused.value)
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path / 'weights'))
    with pytest.raises(UserError, match='another folder: export TCNN_WEIGHTS=DIR'):
        check_checkpoint_path(tmp_path / 'weights' / 'a.pth')


@pytest.mark.parametrize('content', [b'/some/path', b'# text\n', b'\xff\xd8\xff\xe0', b'\0' * 100])
def test_a_file_of_another_kind(tmp_path, content):
    """No advice to trust what is no checkpoint."""
    path = tmp_path / 'x.pth'
    path.write_bytes(content)
    with pytest.raises(UserError, match='not a checkpoint: neither a zip file nor a pickle') as no:
        load_safely(path)
    assert 'trust' not in str(no.value)


def test_urls_and_names_of_the_zoo_pass():
    """They are looked for elsewhere."""
    for name in ('http://host/a.pth', 'torchvision://alexnet', 'tcnn_mm://minivoc_source.pth'):
        check_checkpoint_path(name)
    assert os.path.isfile(__file__)
