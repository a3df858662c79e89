"""The README names only what is there, and all that is there."""

import os.path as osp
import re

import tcnn_mm.registry as ours
from tests.support.runs import CONFIGS
from tests.support.tool_module import tool_path

ROOT = osp.dirname(CONFIGS)
with open(osp.join(ROOT, 'README.md'), encoding='utf-8') as file:
    TEXT = file.read()


def test_every_file_named_exists():
    """Tools, configs and pictures that the README names are in the repository."""
    paths = set(re.findall(r'\b(?:tools|configs|docs)/[\w./-]*\w\.\w+', TEXT))
    assert len(paths) > 8
    assert [path for path in sorted(paths) if not osp.isfile(osp.join(ROOT, path))] == []
    tools = re.search(r'^Tools: (.*);', TEXT, re.M).group(1)
    for name in re.findall(r'`([\w.]+)`', tools):
        assert osp.isfile(tool_path(name)), name


def test_every_registered_name_stands_in_the_readme():
    """A part that a user can type is listed; no figure is left open."""
    for registry in (ours.MODELS, ours.TASK_UTILS, ours.DATASETS, ours.TRANSFORMS, ours.METRICS):
        registry.import_from_location()
        for name in registry.module_dict:
            short = name.replace('Aggregator', '…') if name[:4] in ('Mean', 'MaxA') else name
            assert name in TEXT or short in TEXT, name
    assert '@' not in TEXT
