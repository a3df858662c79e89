"""The converter as it is typed: what it writes is the file's net, and it says what it did."""

import numpy as np
import pytest
import torch
import torchvision

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.errors import UserError
from tcnn_mm.models import TransferAlexNet
from tcnn_mm.registry import MODELS
from tests.support.caffe_file import caffe_forward, caffe_weights, write_caffemodel
from tests.support.tool_module import load_tool

convert_weights = load_tool('convert_weights')


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The tool runs in the test's folder."""
    monkeypatch.chdir(tmp_path)


def convert(*arguments):
    convert_weights.main(list(map(str, arguments)))


@pytest.fixture(scope='module')
def pixels():
    return torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 4 - 2


@pytest.mark.parametrize('form', ['caffemodel', 'old', 'npz', 'pth'])
def test_caffe_files_in_every_form(tmp_path, pixels, form, capsys):
    """The grouped net with the file's weights on BGR equals ours on RGB, to 1e-5."""
    weights = caffe_weights()
    path = tmp_path / f'net.{"caffemodel" if form == "old" else form}'
    if form == 'npz':
        np.savez(path, **weights)
    elif form == 'pth':
        torch.save({key: torch.from_numpy(value) for key, value in weights.items()}, path)
    else:
        write_caffemodel(path, weights, old=form == 'old')
    convert(path.name, 'out.pth', '--to-rgb')
    said_by_tool = capsys.readouterr().out
    for words in (
        'conv1.weight', '2 groups expanded', 'dropped (FC8)', 'k = 1 folded', 'BGR turned to RGB',
        "variant='krizhevsky', fc_channels=32", "'mean': [123.0, 117.0, 104.0]",
    ):  # fmt: skip
        assert words in said_by_tool, words
    assert ('reshaped' in said_by_tool) == (form == 'old')
    file = load_safely(tmp_path / 'out.pth')
    said = file['meta']['tcnn_mm']['preprocessing']
    assert said['channel_order'] == 'rgb' and said['size'] == 224
    net = TransferAlexNet('krizhevsky', fc_channels=32).eval()
    net.load_state_dict(file['state_dict'])
    expected = caffe_forward(weights, pixels)
    with torch.no_grad():
        got = net(pixels.flip(1))[0]
    assert (got - expected).abs().max() < 1e-5 * max(1.0, float(expected.abs().max()))


def test_torchvisions_file_passes_through(tmp_path, pixels, capsys):
    """Nothing is renamed; FC8 is dropped; Y7 stays; it has no BGR to turn."""
    torch.manual_seed(0)
    net = torchvision.models.alexnet().eval()
    # Narrow FC layers: a small file.
    net.classifier[1], net.classifier[4] = torch.nn.Linear(9216, 16), torch.nn.Linear(16, 16)
    torch.save(net.state_dict(), tmp_path / 'alexnet.pth')
    convert('alexnet.pth', 'out.pth')
    said = capsys.readouterr().out
    assert said.count('as it is') == 14 and said.count('dropped (FC8)') == 2
    ours = TransferAlexNet('torchvision', fc_channels=16).eval()
    ours.load_state_dict(load_safely(tmp_path / 'out.pth')['state_dict'])
    with torch.no_grad():
        expected = net.classifier[:6](net.features(pixels).flatten(1))
        assert torch.equal(ours(pixels)[0], expected)
    with pytest.raises(UserError, match='pixels are RGB'):
        convert('alexnet.pth', 'out.pth', '--to-rgb')


def test_the_result_fits_its_pixels_and_no_others(tmp_path):
    """A model loads the file with the pixels that it names; with others both are named."""
    write_caffemodel(tmp_path / 'net.caffemodel', caffe_weights())
    convert('net.caffemodel', 'out.pth')

    def build(**pixels):
        model = MODELS.build(
            dict(
                type='tcnn_mm.PatchClassifier',
                backbone=dict(
                    type='tcnn_mm.TransferAlexNet',
                    variant='krizhevsky',
                    fc_channels=32,
                    preprocessing=pixels,
                ),
                head=dict(type='tcnn_mm.AdaptationHead', num_classes=2, in_channels=32),
                sampler=dict(type='tcnn_mm.PatchSampler'),
                frozen=('backbone',),
                pretrained=str(tmp_path / 'out.pth'),
            )
        )
        model.init_weights()
        return model

    assert build().preprocessing['channel_order'] == 'bgr'
    with pytest.raises(UserError, match=r'channel_order: file bgr, model rgb'):
        build(channel_order='rgb')
    with pytest.raises(UserError, match=r'mean: file \[104.0, 117.0, 123.0\], model'):
        build(mean=(1, 2, 3))


def test_what_cannot_be_ours_is_refused(tmp_path):
    """CaffeNet's order, another normalisation, no AlexNet, a missing layer: one line each."""
    weights = caffe_weights(8)
    swapped = [
        'conv1',
        'pool1',
        'norm1',
        'conv2',
        'pool2',
        'norm2',
        'conv3',
        'conv4',
        'conv5',
        'pool5',
        'fc6',
        'fc7',
    ]
    write_caffemodel(tmp_path / 'caffenet.caffemodel', weights, order=swapped)
    write_caffemodel(tmp_path / 'other.caffemodel', weights, norm={1: 3, 2: 5e-5})
    np.savez(tmp_path / 'vgg.npz', **{'conv1_1.weight': np.zeros((64, 3, 3, 3), np.float32)})
    np.savez(tmp_path / 'part.npz', **{k: v for k, v in weights.items() if k != 'conv4.bias'})
    for name, words in (
        ('caffenet.caffemodel', 'normalises before it pools'),
        ('other.caffemodel', 'ours has size 5'),
        ('vgg.npz', 'no AlexNet'),
        ('part.npz', 'features.8.bias is missing'),
    ):
        with pytest.raises(UserError, match=words):
            convert(name, 'out.pth')
        assert not (tmp_path / 'out.pth').exists()
