"""The probe of maps: convolutions pass; global operations and irregular maps do not."""

import pytest
import torch
from torch import nn

from tcnn_mm.models.encoder.probe import probe_map


class Gate(nn.Module):
    """Squeeze-and-excitation without a name that says it; at first it passes all, times 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1 + self.scale * torch.sigmoid(x.mean((2, 3), keepdim=True)))


class Windows(nn.Module):
    """Mixes each block of 4 × 4 cells: local, but not the same wherever the pixels are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = nn.functional.avg_pool2d(x, 4, ceil_mode=True)
        return nn.functional.interpolate(mixed, scale_factor=4)[..., : x.shape[2], : x.shape[3]]


class OneSize(nn.Module):
    """Takes images of one size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[-1] == 33, 'Input width does not match'
        return x


def stem(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, 1)]
    return nn.Sequential(*layers, *more)


def test_convolutions_are_local():
    """Stride 4; the network is left as it was, in its mode."""
    network = stem()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert probe_map(network, 33) == (4, '')
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    'network, reason',
    [
        (stem(Gate()), 'reads the whole image'),
        (stem(Windows()), 'depends on the place in the image'),
        (stem(nn.AdaptiveAvgPool2d(3)), 'no regular stride'),
        (stem(nn.Flatten()), 'needs a map'),
        (OneSize(), 'Input width does not match'),
    ],
    ids=['gate', 'windows', 'named', 'vector', 'one-size'],
)
def test_what_dense_mode_cannot_use(network, reason):
    """A reason in words, whatever the kind: also an operation that new weights hide."""
    probe = probe_map(network, 33)
    assert not probe.dense and reason in probe.reason
