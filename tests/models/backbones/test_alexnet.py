"""C1…FC7: torchvision's numbers, Caffe's files, the layers' names."""

import pytest
import torch
import torchvision

from tcnn_mm.errors import UserError
from tcnn_mm.models import TransferAlexNet
from tcnn_mm.models.backbones.alexnet_variants import CAFFE_NAMES, expand_groups


def test_equals_torchvision_up_to_fc7():
    """Same keys, same Y7 as torchvision's AlexNet after its second ReLU."""
    reference = torchvision.models.alexnet().eval()
    net = TransferAlexNet('torchvision').eval()
    result = net.load_state_dict(reference.state_dict(), strict=False)
    assert result.missing_keys == []
    assert result.unexpected_keys == ['classifier.6.weight', 'classifier.6.bias']
    x = torch.randn(2, 3, 224, 224)
    expected = reference.classifier[:6](reference.avgpool(reference.features(x)).flatten(1))
    assert torch.equal(net(x)[0], expected)


@pytest.mark.parametrize(
    'variant, size, width, grid',
    [('torchvision', 224, 4096, 6), ('krizhevsky', 224, 4096, 6), ('small', 64, 256, 3)],
)
def test_shapes(variant, size, width, grid):
    """Each variant's C5 grid is its own at its own patch side; FC7 has the stated width."""
    net = TransferAlexNet(variant)
    assert net.preprocessing['size'] == size
    x = torch.randn(2, 3, size, size)
    assert net.features(x).shape[-2:] == (grid, grid)
    assert net(x)[0].shape == (2, width)


def test_a_wider_net():
    """fc_channels 6144, as for the 1512-class net."""
    net = TransferAlexNet('small', fc_channels=384)
    assert net(torch.randn(1, 3, 64, 64))[0].shape == (1, 384)


def test_krizhevsky_normalises_after_relu():
    """LRN stands between ReLU and pooling in C1 and C2 only."""
    names = [name for name, _ in TransferAlexNet('krizhevsky').features.named_children()]
    assert names[:4] == ['0', '1', 'norm1', '2'] and names[4:8] == ['3', '4', 'norm2', '5']


def test_layers_cover_every_parameter_once():
    """C1…FC7 share out all modules, in forward order."""
    net = TransferAlexNet('small')
    layers = net.layers()
    assert tuple(layers) == net.layer_names
    paths = [path for modules in layers.values() for path, _ in modules]
    assert len(paths) == len(set(paths))
    held = {f'{path}.{leaf}' for path in paths for leaf in ('weight', 'bias')}
    assert {name for name, _ in net.named_parameters()} <= held
    assert [path for path, _ in layers['FC6']][:2] == ['classifier.0', 'classifier.1']


def test_running_layers_in_parts_is_the_whole():
    """run_layers in two parts equals one forward pass, wherever it is cut."""
    net = TransferAlexNet('small').eval()
    x = torch.randn(2, 3, 64, 64)
    for cut in range(8):
        half = net.run_layers(x, net.layer_names[:cut])
        assert torch.equal(net.run_layers(half, net.layer_names[cut:]), net(x)[0])


def test_grouped_weights_expand_exactly():
    """An ungrouped convolution with expanded weights gives the grouped one's output."""
    grouped = torch.nn.Conv2d(8, 12, 3, groups=2, bias=False)
    full = torch.nn.Conv2d(8, 12, 3, bias=False)
    full.weight.data = expand_groups(grouped.weight.data, 8)
    x = torch.randn(2, 8, 9, 9)
    assert torch.allclose(full(x), grouped(x), atol=1e-6)


def caffe_state():
    """What a converted BVLC file holds: conv1…fc8, conv2/4/5 in two groups."""
    net = TransferAlexNet('krizhevsky', groups=2)
    names = {v: k for k, v in CAFFE_NAMES.items()}
    state = {
        f'{names[key.rpartition(".")[0]]}.{key.rpartition(".")[2]}': value
        for key, value in net.state_dict().items()
    }
    state['fc8.weight'], state['fc8.bias'] = torch.zeros(1000, 4096), torch.zeros(1000)
    return net, state


@pytest.mark.parametrize('groups', [1, 2])
def test_a_caffe_shaped_file_loads(groups):
    """Names are mapped; groups are kept or expanded; the output is that of the grouped net."""
    source, state = caffe_state()
    assert state['conv2.weight'].shape == (256, 48, 5, 5)
    net = TransferAlexNet('krizhevsky', groups=groups)
    result = net.load_state_dict(net.convert_state_dict(state), strict=False)
    assert result.missing_keys == []
    assert result.unexpected_keys == ['classifier.6.weight', 'classifier.6.bias']
    x = torch.randn(1, 3, 224, 224)
    assert torch.allclose(net.eval()(x)[0], source.eval()(x)[0], atol=1e-4)


def test_an_unknown_variant_is_refused():
    """The error lists what there is."""
    with pytest.raises(ValueError, match='krizhevsky'):
        TransferAlexNet('caffe')


def test_initial_weights():
    """'krizhevsky' starts as he did, N(0, 0.01) and biases of 1 in C2, C4, C5, FC6, FC7; the
    others by He, without biases; a given init_cfg is followed."""
    given = dict(type='Constant', layer=['Conv2d', 'Linear'], val=0.0, bias=0.5)
    ones = {'C2', 'C4', 'C5', 'FC6', 'FC7'}
    for variant, cfg in (('krizhevsky', None), ('small', None), ('krizhevsky', given)):
        net = TransferAlexNet(variant, fc_channels=64, init_cfg=cfg)
        net.init_weights()
        for layer, modules in net.layers().items():
            (part,) = (m for _, m in modules if hasattr(m, 'weight'))
            his = variant == 'krizhevsky' and not cfg
            bias = 0.5 if cfg else float(his and layer in ones)
            assert (part.bias == bias).all(), (variant, layer)
            std = 0 if cfg else 0.01 if his else (2 / part.weight[0].numel()) ** 0.5
            assert part.weight.std().item() == pytest.approx(std, rel=0.1)


@pytest.mark.parametrize('variant, drops', [('torchvision', (0.4, 0.4)), ('krizhevsky', (0, 0.4))])
def test_where_dropout_is(variant, drops):
    """On the inputs of FC6 and FC7, as in torchvision; Krizhevsky's is on their outputs, of which
    FC7's belongs to the head."""
    net = TransferAlexNet(variant, fc_channels=8, dropout=0.4)
    assert (net.classifier[0].p, net.classifier[3].p) == drops


def test_maps_for_a_detector():
    """`out_layers`: the maps are those of the whole network, after each layer's ReLU; nothing
    above the last one is built."""
    torch.manual_seed(0)
    whole = TransferAlexNet('small')
    net = TransferAlexNet('small', out_layers=('C5', 'C2'))
    assert net.out_layers == ('C2', 'C5') and net.out_channels == (64, 64)
    missing, unused = net.load_state_dict(whole.state_dict(), strict=False)
    assert not missing and {key.split('.')[0] for key in unused} == {'classifier'}
    x, maps = torch.randn(1, 3, 64, 80), {}
    for name, relu in (('C2', '4'), ('C5', '11')):
        whole.features[int(relu)].register_forward_hook(
            lambda module, args, output, name=name: maps.update({name: output.clone()})
        )
    whole(x)
    c2, c5 = net(x)
    assert torch.equal(c2, maps['C2']) and torch.equal(c5, maps['C5'])
    with pytest.raises(ValueError, match="out_layers=\\['FC6'\\]; choose from"):
        TransferAlexNet('small', out_layers=('FC6',))


@pytest.mark.parametrize('layer, stride', [('C1', 4), ('C2', 8), ('C3', 16), ('C5', 16)])
def test_where_a_cell_looks(layer, stride):
    """The field of cell i of torchvision's variant is centred at pixel stride · (i + 1) − 1."""
    net = TransferAlexNet('torchvision', out_layers=(layer,))
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.ones_(module.weight)
    net.features = torch.nn.Sequential(
        *[
            torch.nn.AvgPool2d(3, 2) if isinstance(m, torch.nn.MaxPool2d) else m
            for m in net.features
            if not isinstance(m, torch.nn.ReLU)
        ]
    )
    x = torch.zeros(1, 3, 400, 400, requires_grad=True)
    at = 200 // stride
    net.features(x)[0, :, at, at].sum().backward()
    seen = torch.nonzero(x.grad[0].sum(0).sum(0)).flatten()
    assert (seen[0] + seen[-1]) / 2 == stride * (at + 1) - 1


def test_it_fills_itself_or_stops(tmp_path):
    """`pretrained` in a model that is not ours: a file of its layers arrives, another stops it."""
    torch.manual_seed(0)
    source = TransferAlexNet('small')
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    torch.save(dict(state_dict=state, meta={}), tmp_path / 'a.pth')
    net = TransferAlexNet('small', out_layers=('C5',), pretrained=str(tmp_path / 'a.pth'))
    net.init_weights()
    for key, value in net.state_dict().items():
        assert torch.equal(value, state[f'backbone.{key}'])
    torch.save({'conv.weight': torch.ones(1)}, tmp_path / 'b.pth')
    with pytest.raises(UserError, match='does not hold this backbone'):
        TransferAlexNet('small', pretrained=str(tmp_path / 'b.pth')).init_weights()
