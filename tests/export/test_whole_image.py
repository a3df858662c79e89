"""One file from image to scores and maps gives what the inferencer gives."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tcnn_mm.cli.main import main
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tests.support.small_checkpoint import CLASSES, write_small_checkpoint

onnxruntime = pytest.importorskip('onnxruntime')
pytest.importorskip('onnxscript')

from tcnn_mm.export.whole_image_file import export_whole_image  # noqa: E402

WEAK = dict(
    type='tcnn_mm.WeakPatchClassifier',
    head=dict(background=False),
    sampler=dict(type='tcnn_mm.ScaleSampler', factors=(1.0, 2.0), base=1.0),
)
CONTEXT = dict(context=dict(type='tcnn_mm.ContextHead', hidden_channels=8), feature_mode='dense')


def image(height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8: noise around a flat rectangle."""
    random = np.random.default_rng(height)
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[height // 3 : height // 2, width // 4 : width // 2] = (210, 40, 30)
    return pixels


def compare(checkpoint: Path, file: Path, sizes: list[tuple[int, int]]) -> None:
    """Run the file and the inferencer on images."""
    inferencer = TCNNInferencer(checkpoint=checkpoint, device='cpu')
    session = onnxruntime.InferenceSession(str(file), providers=['CPUExecutionProvider'])
    for size in sizes:
        pixels = image(*size)
        expected = inferencer(pixels, score_maps=True)[0]
        scores, maps = session.run(['scores', 'maps'], {'image': pixels})
        for k, name in enumerate(inferencer.classes):
            assert abs(scores[k] - expected['scores'][name]) <= 1e-4
            np.testing.assert_allclose(maps[k], expected['maps'][name], atol=1e-4, rtol=0)


def test_images_of_any_size(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Scores and maps to 1e-4; classes, thresholds and pixels are in the metadata."""
    checkpoint, file = tmp_path / 'a.pth', tmp_path / 'a.onnx'
    thresholds = dict.fromkeys(CLASSES, 0.25)
    write_small_checkpoint(checkpoint, thresholds, damping=7.0, feature_mode='dense')
    main(['export', str(checkpoint), '--whole-image', '--out', str(file)])
    assert '21 × 21 × 3: largest difference of a score' in capsys.readouterr().out
    compare(checkpoint, file, [(60, 80), (64, 64), (200, 333), (41, 300)])
    meta = onnxruntime.InferenceSession(str(file)).get_modelmeta().custom_metadata_map
    facts = json.loads(meta['tcnn_mm'])
    assert facts['outputs'] == list(CLASSES) and facts['thresholds']['key'] == 0.25
    assert facts['maps'] == dict(long_side=500, damping=7.0) and facts['image_size'] is None
    assert facts['preprocessing']['mean'] == [127.5] * 3 and facts['upright'] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='crop'),
        pytest.param(WEAK, id='weak'),
        pytest.param(dict(WEAK, aggregator=dict(type='tcnn_mm.LogSumExpAggregator')), id='lse'),
        pytest.param(CONTEXT, id='context'),
        pytest.param(dict(frozen=('C1', 'C2', 'C3', 'C4', 'C5'), feature_mode='dense'), id='FC6'),
        pytest.param(dict(feature_mode='dense', dense_scales=(1.0,)), id='fewer maps'),
    ],
)
def test_every_kind_of_model(options: dict, tmp_path: Path) -> None:
    """Crop mode, image labels, a context head, trained layers of the backbone."""
    checkpoint, file = tmp_path / 'a.pth', tmp_path / 'a.onnx'
    write_small_checkpoint(checkpoint, **options)
    export_whole_image(checkpoint, str(file))
    compare(checkpoint, file, [(60, 80), (90, 70)])


@pytest.mark.slow
def test_images_of_one_size(tmp_path: Path) -> None:
    """The arithmetic of sizes is done when the file is written; other sizes are refused."""
    import onnx

    checkpoint, file = tmp_path / 'a.pth', tmp_path / 'a.onnx'
    write_small_checkpoint(checkpoint, feature_mode='dense')
    export_whole_image(checkpoint, str(file), image_size=(60, 80), damping=0)
    nodes = [node for node in onnx.load(file).graph.node if '/' not in node.name]
    assert {'Round', 'Ceil', 'Range'}.isdisjoint(node.op_type for node in nodes)
    session = onnxruntime.InferenceSession(str(file))
    assert session.run(['maps'], {'image': image(60, 80)})[0].shape == (3, 60, 80)
    with pytest.raises(Exception, match='dimensions'):
        session.run(None, {'image': image(61, 80)})


def test_what_cannot_be_in_one_file_is_refused(tmp_path: Path) -> None:
    """One line that says what to use: a model of boxes, a grid too large, torch.export."""
    boxes = tmp_path / 'boxes.pth'
    write_small_checkpoint(boxes, sampler=dict(type='tcnn_mm.ObjectSquareSampler'))
    with pytest.raises(UserError, match=r'ObjectSquareSampler.*--part patch --out x.onnx'):
        export_whole_image(boxes, 'x.onnx')
    plain = tmp_path / 'plain.pth'
    write_small_checkpoint(plain)
    with pytest.raises(UserError, match='patches, more than 100,000'):
        export_whole_image(plain, str(tmp_path / 'x.onnx'), image_size=(2, 100_000))
    assert not (tmp_path / 'x.onnx').exists()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--image-size', '9', '9'], '--image-size is of a whole image: add --whole-image'),
        (['--damping', '3'], '--damping is of a whole image'),
        (['--whole-image', '--format', 'torch-export'], '--whole-image writes ONNX'),
    ],
)
def test_options_that_do_not_go_together(
    words: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    """One line before anything is read."""
    with pytest.raises(SystemExit):
        main(['export', 'none.pth', '--out', 'x.onnx', *words])
    assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.real
def test_a_network_with_imagenet_weights(tmp_path: Path) -> None:
    """MobileNetV2, nine scales, a context head, 20 classes."""
    if not os.environ.get('TCNN_WEIGHTS'):
        pytest.skip('needs TCNN_WEIGHTS: a folder with MobileNetV2')
    from tests.support.config_checkpoint import write_config_checkpoint

    checkpoint, file = tmp_path / 'a.pth', tmp_path / 'a.onnx'
    write_config_checkpoint('mixing/tcnn_mobilenetv2_voc07_context', checkpoint)
    export_whole_image(checkpoint, str(file))
    compare(checkpoint, file, [(375, 500)])
