"""The config of a fit reads back to the values that the fit has, whatever the names in them are."""

import dataclasses
import random

import pytest
import torch
from mmengine.config import Config

from tcnn_mm.checkpoints.config_text import read_dumped_config
from tcnn_mm.estimator.fit_config import config_text
from tcnn_mm.estimator.fit_data import FitData
from tcnn_mm.estimator.plan import FitPlan
from tcnn_mm.models.backbones.zoo import Weights

PIECES = (
    '{{$HOME:x}}', '{{$A:b}}', '{{ fileDirname }}', '{{fileBasename}}', '{{ _base_.classes }}',
    '{', '}', '{{', '}}', '{{{', '$', '$HOME', '\\', '\\\\', "'", '"', "'''", '#', '\n', '\r',
    '\r\n', '\t', '\0', '\x0c', '\x1b[31m', '\x85', '\u2028', '\u202e', 'é', '犬', '😀', ' ',
    '\\x7b', '\\N{DASH}', 'import os\n', "'); open('ran', 'w') #", '\nopen("ran", "w")\n', 'a', 'b',
    '%s', '{0}', '~', '_base_', 'x' * 200,
)  # fmt: skip


def plan_of(names, weak):
    """A plan with these names in every place that data fill."""
    name = iter(names * 20)
    return FitPlan(
        backbone='minivoc',
        weights=Weights(dict(pretrained=next(name), backbone=dict(arch=next(name))), next(name)),
        data=FitData(
            description=next(name),
            weak=weak,
            upright=True,
            classes=list(dict.fromkeys(names)),
            source=dict(type='tcnn_mm.ImageRecords', ann_file=next(name)),
            sources={role: dict(ids=next(name)) for role in ('train', 'val', 'test')},
            counts=dict(train=3, val=2, test=1),
            train=[],
        ),
        scales=(1.0, 2.0),
        reasons=[next(name), next(name)],
        rows=10,
        seed=0,
        out=next(name),
    )


@pytest.mark.parametrize('seed', range(25))
def test_any_name_reads_back(seed, tmp_path, monkeypatch):
    """Classes, paths of data, weights and output; no line of a name is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('A', "');raise SystemExit('")
    draw = random.Random(seed)
    names = [''.join(draw.choices(PIECES, k=draw.randint(1, 6))) for _ in range(7)]
    plan = plan_of(names, weak=seed % 2 == 1)
    path = tmp_path / 'config.py'
    path.write_text(config_text(plan), encoding='utf-8', newline='\n')
    cfg = Config.fromfile(str(path))
    assert list(cfg.classes) == plan.data.classes == list(cfg.images.metainfo.classes)
    assert cfg.images.ann_file == plan.data.source['ann_file']
    assert cfg.model.pretrained == plan.weights.model['pretrained']
    assert cfg.model.backbone.arch == plan.weights.model['backbone']['arch']
    assert cfg.work_dir == f'{plan.out}/run'
    assert cfg.optim_wrapper.optimizer.fused and cfg.default_hooks.checkpoint.interval > 0
    decisions = dict(cfg.decisions)
    assert decisions['Data'] == plan.data.description
    assert decisions['Scales'].endswith('; '.join(plan.reasons))
    for role, own in plan.data.sources.items():
        dataset = cfg[f'{role}_dataloader'].dataset
        assert dataset.bank == f'{plan.out}/banks/{role}'
        assert dataset.source.ids == own['ids'] and dataset.source.ann_file == cfg.images.ann_file
    cfg.dump(str(tmp_path / 'dumped.py'))
    assert read_dumped_config(str(tmp_path / 'dumped.py')).to_dict() == cfg.to_dict()
    assert not (tmp_path / 'ran').exists()


def test_checkpoints_are_few_whatever_the_epochs(tmp_path):
    """200 long epochs write about eight files; a training of few writes each; steps of a small
    head are worth no file until there are 100.
    """
    plan = plan_of(['a', 'b', 'c', 'd', 'e', 'f', 'g'], weak=False)
    long, short = 100 * 128, 128
    for epochs, rows, interval in ((200, long, 25), (19, long, 2), (4, long, 1), (200, short, 100)):
        text = config_text(dataclasses.replace(plan, epochs=epochs, rows=rows))
        assert f'default_hooks = dict(checkpoint=dict(interval={interval}))' in text


def test_the_fused_update_is_the_plain_one():
    """The optimizer that the config names, to float32 rounding, on the processor too."""
    found = []
    for fused in (False, True):
        torch.manual_seed(0)
        layer = torch.nn.Linear(30, 20)
        optimizer = torch.optim.SGD(
            layer.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=fused
        )
        for _ in range(20):
            optimizer.zero_grad()
            layer(torch.randn(8, 30)).square().mean().backward()
            optimizer.step()
        found.append(layer.weight.detach())
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)
