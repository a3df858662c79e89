"""Dense mode of vision transformers: tiles of a resized image, their tokens put together."""

import numpy as np
import pytest
import torch

from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.export.plain_networks import plain_network
from tcnn_mm.export.whole_image_networks import FeatureNetwork
from tcnn_mm.models.encoder.tiles import tile_geometry, tile_starts, tiled_map, token_map
from tests.support.patch_model import build_dense, make_image

ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
VIT = dict(
    type='mmpretrain.VisionTransformer', arch=ARCH, img_size=32, patch_size=8, out_type='featmap'
)
TIMM = dict(
    type='mmpretrain.TIMMBackbone',
    model_name='vit_tiny_patch16_224',
    img_size=32,
    patch_size=8,
    embed_dim=16,
    num_heads=2,
    depth=2,
)
REGISTERS = dict(TIMM, reg_tokens=4, no_embed_class=True)


def build(backbone, mode='dense', **options):
    pixels = dict(size=32, mean=(127,) * 3, std=(64,) * 3, channel_order='rgb')
    options = dict(dense_tile=32, preprocessing=pixels) | options
    return build_dense(backbone, dict(scales=(1.0, 2.0), snap=8), 16, mode, **options)


def needed(backbone):
    if backbone['type'] == 'mmpretrain.TIMMBackbone':
        pytest.importorskip('timm')
    return backbone


@pytest.mark.parametrize(
    'backbone', [VIT, TIMM, REGISTERS], ids=['mmpretrain', 'timm', 'registers']
)
def test_a_window_that_is_a_tile_has_the_features_of_its_crop(backbone):
    """Position embeddings, class and register tokens included; other windows are near."""
    image, _ = make_image(70, 90)
    crop, dense = (build(needed(backbone), mode) for mode in ('crop', 'dense'))
    dense.load_state_dict(crop.state_dict())
    assert (dense.encoder.map_stride, dense.encoder.map_side) == (8, 4)
    windows = dense.sampler.grid((70, 90))
    with torch.no_grad():
        a, b = (model.encoder.describe_patches(image, windows) for model in (crop, dense))
    tiles = np.zeros(len(windows), bool)
    for i, (offset, shape) in enumerate(zip(windows.offsets, windows.shapes, strict=True)):
        tiles[i] = all(
            # The last tile of a side covers the end of the one before it.
            place == starts[-1] or (place in starts and place + 32 <= starts[-1])
            for place, starts in zip(offset, (tile_starts(s, 32) for s in shape), strict=True)
        )
    assert 3 < tiles.sum() < len(windows)
    torch.testing.assert_close(a[tiles], b[tiles], rtol=0, atol=1e-5)
    assert torch.cosine_similarity(a, b).min() > 0.5


@pytest.mark.parametrize('chunk', [1, 3, 64])
def test_chunks_change_nothing(chunk):
    """Tiles in one pass bound the memory alone."""
    image, _ = make_image(70, 90)
    with torch.no_grad():
        scores = [build(VIT, chunk_size=c).predict([image])[0].pred_score for c in (64, chunk)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-5)


def test_tiles_larger_than_an_image():
    """A tile of twice the patch side: images of one patch are shorter tiles, embeddings scale."""
    image, _ = make_image(40, 200)
    model = build(VIT, dense_tile=64)
    assert (model.encoder.map_stride, model.encoder.map_side) == (8, 4)
    assert torch.isfinite(model.predict([image])[0].pred_score).all()


def test_tiles_cover_an_image_once_each():
    """The map of the identity in tiles is the image, whatever fits."""
    images = torch.arange(2 * 3 * 12 * 20.0).view(2, 3, 12, 20)
    for tile in (4, 8, 12, 16):
        out = tiled_map(lambda x: x[..., ::4, ::4], images, tile, 4, together=3)
        assert torch.equal(out, images[..., ::4, ::4])
    assert tile_starts(12, 4) == [0, 4, 8] and tile_starts(20, 8) == [0, 8, 12]
    assert tile_starts(4, 8) == [0]


def test_cost_grows_with_the_area():
    """Pixels that pass the network: at most a tile more per side than the image has."""
    seen = []

    def count(x):
        seen.append(x.shape[0] * 32 * 32)
        return x[..., ::8, ::8]

    for side in (64, 128, 256, 264):
        tiled_map(count, torch.zeros(1, 3, side, side), 32, 8, together=10_000)
    assert seen == [64**2, 128**2, 256**2, 288**2]


@pytest.mark.parametrize('extra', [0, 1, 5])
def test_tokens_become_a_map(extra):
    """Class and register tokens come first and are dropped."""
    tokens = torch.arange((extra + 6.0) * 2).view(1, extra + 6, 2)
    maps = token_map(tokens, 16, 24)
    assert maps.shape == (1, 2, 2, 3)
    assert maps[0, 0].flatten().tolist() == [2 * (extra + i) for i in range(6)]


def test_what_is_no_grid_is_refused():
    """Tokens that fit no grid, tiles that do not fit, one vector per image: each says what."""
    with pytest.raises(ValueError, match='gives 30 tokens for 17×17 pixels'):
        token_map(torch.zeros(1, 30, 2), 17, 17)
    with pytest.raises(ValueError, match='dense_tile=16 is smaller than a patch: 32'):
        build(VIT, dense_tile=16)
    with pytest.raises(ValueError, match=r"\(1, 16\).*out_type='featmap'"):
        build(dict(VIT, out_type='cls_token'))
    with pytest.raises(ValueError, match=r'dense_tile=36 gives 4 cells.*multiples'):
        tile_geometry(lambda x: x[..., :4, :4], 32, 36)
    with pytest.raises(ValueError, match=r'takes images of any size|reads the whole image'):
        build(VIT, dense_tile=None)


def test_checkpoints_record_tiles():
    """The record holds the tile; crop mode has none, so that a crop model can be compared."""
    assert model_record(build(VIT))['dense_tile'] == 32
    assert model_record(build(VIT, 'crop'))['dense_tile'] is None


def test_no_export_of_tiles_as_one_network():
    """A dense network is one pass, in a file of whole images too; the patches are exported."""
    with pytest.raises(ValueError, match='tiles.*--part patch'):
        FeatureNetwork(build(VIT))
    with pytest.raises(ValueError, match='tiles.*--part patch'):
        plain_network(build(VIT), 'dense')
    assert plain_network(build(VIT), 'patch')(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
