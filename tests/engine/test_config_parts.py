"""Arguments of our parts: unknown names and wrong types are one line, before anything is built."""

import glob
import os.path as osp
from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from mmengine.config import Config

from tcnn_mm.engine.config_parts import arguments, check_parts, fits, in_words, registered
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.models import WeakPatchClassifier
from tcnn_mm.patches import PatchSampler
from tests.support.patch_model import build_model
from tests.support.runs import CONFIGS, small_config


@pytest.mark.parametrize(
    'options, message',
    [
        ({'model.sampler.num_patchs': 3}, 'model.sampler.num_patchs: PatchSampler .*num_patches'),
        ({'model.frozen': 'backbone'}, r"model.frozen='backbone': .*takes a list of str; .*\['"),
        ({'model.chunk_size': 2.5}, 'model.chunk_size=2.5: PatchClassifier takes int'),
        ({'model.flip_prob': 'x'}, "model.flip_prob='x': PatchClassifier takes float"),
        ({'model.head.type': 'tcnn_mm.AdaptionHead'}, 'model.head.type: .*tcnn_mm.AdaptationHead'),
        ({'custom_hooks': [dict(type='tcnn_mm.PlateauStages', stage=2)]}, r'custom_hooks\[0\].sta'),
        ({'test_evaluator': [dict(type='tcnn_mm.VOCDevkitAP', mod='voc07')]}, 'nearest: mode'),
        ({'model.sampler': dict(type=PatchSampler, gird=1)}, 'model.sampler.gird: .*nearest: grid'),
        (
            {'model.aggregator': dict(type='tcnn_mm.MaxAggregator', k=5)},
            'model.aggregator.k: .*takes none; .* give model.aggregator._delete_=True before model',
        ),
        ({'train_dataloader.collate_fn.x': 1}, 'train_dataloader.collate_fn.x: pseudo_collate has'),
    ],
)
def test_a_wrong_argument_is_named_by_its_key(tmp_path, options, message):
    """The key as `--cfg-options` writes it, and the nearest argument or the type."""
    cfg = small_config(tmp_path)
    check_parts(cfg)
    cfg.merge_from_dict(options)
    with pytest.raises(UserError, match=message):
        check_parts(cfg)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(chunk_size=0), 'chunk_size=0; it is a number of patches, 1 or more'),
        (dict(frozen_dtype='bf16'), "frozen_dtype='bf16'; choose one of float32, bfloat16"),
        (dict(frozen='backbone'), r"frozen='backbone' is no list; write frozen=\['backbone'\]"),
        (dict(flip_prob=2), r'flip_prob=2 is not in \[0, 1\]'),
    ],
)
def test_values_of_a_model_are_checked_when_it_is_built(options, message):
    """From Python as well; the error is both a UserError and a ValueError."""
    with pytest.raises(InvalidValueError, match='PatchClassifier: ' + message):
        build_model(**options)


def test_every_config_of_ours_passes():
    """Bundled configs, with those of mixing, and their `server` parts."""
    paths = glob.glob(osp.join(CONFIGS, '*.py')) + glob.glob(osp.join(CONFIGS, 'mixing', '*.py'))
    assert len(paths) > 20
    for path in paths:
        check_parts(Config.fromfile(path))


def test_arguments_of_bases_count():
    """What a class passes on belongs to it; a base of others that takes any name is not judged."""
    assert {'backbone', 'chunk_size', 'head'} <= set(arguments(WeakPatchClassifier))
    assert arguments(registered()['AtomicCheckpointHook']) is None
    assert set(arguments(registered()['pseudo_collate'])) == {'_scope_'}


@pytest.mark.parametrize(
    'value, hint, fit',
    [
        (1, float, True),
        (True, int, False),
        ('a', Sequence[str], False),
        (('a', 1), Sequence[str], False),
        ([1, 2.5], Sequence[float] | None, True),
        (None, Sequence[float] | None, True),
        ([1, 2], tuple[int, int], True),
        ([1], tuple[int, int], False),
        ('b', Literal['a', 'b'], True),
        (dict(type='X'), PatchSampler, True),
        (3, PatchSampler, False),
        (3, Callable[..., int], False),
    ],
)
def test_values_and_types(value, hint, fit):
    """JSON's types stand for Python's: lists for tuples, dicts for objects."""
    assert fits(value, hint) == fit
    assert in_words(hint)
