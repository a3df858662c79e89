"""The .caffemodel reader on files that the test writes byte by byte."""

import numpy as np
import pytest

from tcnn_mm.errors import UserError
from tests.support.caffe_file import blob, caffe_weights, field, write_caffemodel
from tests.support.tool_module import load_tool

TOOL = load_tool('caffemodel')
read_blob, read_varint, read_caffemodel = TOOL.read_blob, TOOL.read_varint, TOOL.read_caffemodel


@pytest.mark.parametrize('old', [False, True])
def test_layers_come_back(tmp_path, old):
    """Both formats: names, kinds, normalisation, and every number of every blob."""
    weights = caffe_weights(8)
    write_caffemodel(tmp_path / 'a.caffemodel', weights, old=old)
    layers = read_caffemodel(tmp_path / 'a.caffemodel')
    assert [layer.name for layer in layers[:4]] == ['conv1', 'norm1', 'pool1', 'conv2']
    assert [layer.kind for layer in layers[:3]] == ['Convolution', 'LRN', 'Pooling']
    assert layers[1].norm == pytest.approx(dict(size=5, alpha=1e-4, beta=0.75, k=1.0))
    for layer in layers:
        for leaf, array in zip(('weight', 'bias'), layer.blobs, strict=False):
            expected = weights[f'{layer.name}.{leaf}']
            assert array.dtype == np.float32
            assert array.shape == ((1,) * (4 - expected.ndim) * old + expected.shape)
            assert np.array_equal(array.reshape(expected.shape), expected)


def test_numbers_one_by_one_and_doubles():
    """Unpacked floats, packed and unpacked dims, double data, and gradients that are not read."""
    single = b''.join(field(5, value) for value in (1.0, 2.0)) + field(6, b'\0' * 8)
    assert read_blob(memoryview(field(7, field(1, 2)) + single)).tolist() == [1, 2]
    double = field(8, np.array([3.0, 4.0], '<f8').tobytes())
    assert read_blob(memoryview(field(7, field(1, b'\1') + field(1, b'\2')) + double)).shape == (
        1,
        2,
    )
    assert read_blob(memoryview(blob(np.zeros((2, 300))))).shape == (2, 300)
    assert read_varint(b'\xac\x02', 0) == (300, 2)


def test_damage_is_one_line(tmp_path):
    """A cut file, a text, an empty one and none at all are errors that name the file."""
    whole = tmp_path / 'a.caffemodel'
    write_caffemodel(whole, caffe_weights(8))
    data = whole.read_bytes()
    for name, content in (('cut', data[:100_000]), ('text', b'name: "AlexNet"'), ('empty', b'')):
        path = tmp_path / f'{name}.caffemodel'
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=f'{name}.caffemodel: (damaged|holds no layers)'
        ) as error:
            read_caffemodel(path)
        assert len(str(error.value).splitlines()) == 1
    with pytest.raises(UserError, match='cannot be read'):
        read_caffemodel(tmp_path / 'none.caffemodel')
