"""docs/design.md lists the functions that one image passes, in the order of a traced run."""

import re
import sys

import pytest
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from tests.support.docs_pages import read_page
from tests.support.runs import small_config

PAGE = read_page('docs/design.md')


def listed(heading):
    """Names and files of the table below a heading."""
    section = PAGE.split(f'## {heading}\n')[1].split('\n## ')[0]
    return re.findall(r'^\| `([\w.]+)` \|.*\| `tcnn_mm/([\w/]+)\.py` \|$', section, re.M)


class Trace(Hook):
    """Record which functions of the package one epoch enters; a generator counts once."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.entered = []

    def _enter(self, frame, event, argument):
        module = frame.f_globals.get('__name__', '')
        if event != 'call' or not module.startswith('tcnn_mm.'):
            return
        if all(frame is not known for known, _ in self.entered):
            self.entered.append((frame, (frame.f_code.co_qualname, module)))

    def before_train_epoch(self, runner):
        sys.setprofile(self._enter)

    def after_train_epoch(self, runner):
        sys.setprofile(None)

    def before_test_epoch(self, runner):
        sys.setprofile(self._enter)

    def after_test_epoch(self, runner, metrics=None):
        sys.setprofile(None)


@pytest.fixture
def runner(tmp_path):
    """A runner of `tcnn_minivoc` for one image per loop, in this process."""
    cfg = small_config(tmp_path, epochs=1, images=1)
    for name in ('train_dataloader', 'test_dataloader'):
        cfg[name].update(batch_size=1, num_workers=0, persistent_workers=False)
    init_default_scope('mmpretrain')
    yield Runner.from_cfg(cfg)
    sys.setprofile(None)


@pytest.mark.skipif(sys.version_info < (3, 11), reason='frames know no qualified names')
@pytest.mark.parametrize('loop', ['train', 'test'])
def test_the_walk_of_an_image(runner, loop):
    """Every listed function is entered once, in the order of the page."""
    wanted = [
        (name, 'tcnn_mm.' + file.replace('/', '.'))
        for name, file in listed(f'The walk of one {loop}{"ing" if loop == "train" else ""} image')
    ]
    assert len(wanted) > 15
    trace = Trace()
    runner.register_hook(trace)
    getattr(runner, loop)()
    assert [name for _, name in trace.entered if name in wanted] == wanted
