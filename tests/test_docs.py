"""What docs/ tells a reader to type exists, and runs."""

import glob
import os
import os.path as osp
import re
import subprocess
import sys

import pytest

from tests.support.docs_pages import LINK, NAMED, ROOT, blocks, commands, options_of, read_page

DOCS = sorted(osp.relpath(path, ROOT) for path in glob.glob(osp.join(ROOT, 'docs', '*.md')))
PAGES = [
    *DOCS,
    *(name for name in ('README.md', 'CONTRIBUTING.md') if osp.isfile(f'{ROOT}/{name}')),
]


@pytest.mark.parametrize('page', PAGES)
def test_every_link_and_file_of_a_page_exists(page):
    """Relative links lead somewhere; tools, configs, docs and tests that are named are there."""
    text = read_page(page)
    # What a block writes is not there before.
    links = [osp.join(osp.dirname(page), link) for link in LINK.findall(text)]
    missing = [path for path in [*links, *NAMED.findall(text)] if not osp.exists(f'{ROOT}/{path}')]
    assert missing == []


@pytest.mark.parametrize('page', PAGES)
def test_every_command_of_a_page_has_these_options(page):
    """`python tools/X.py --flag`, `make target`: such a script, such a flag, such a target."""
    with open(osp.join(ROOT, 'Makefile'), encoding='utf-8') as file:
        targets = re.findall(r'^([a-z-]+):', file.read(), re.M)
    for block in blocks(read_page(page)):
        if block.language == 'python':
            compile(block.text, page, 'exec')
            continue
        for words in commands(block):
            if words[0] == 'make':
                assert set(words[1:]) <= set(targets), words
            tool = next((word for word in words[:2] if word.startswith('tools/')), None)
            if tool and tool.endswith('.py'):
                flags = {word.partition('=')[0] for word in words if re.match('--?[a-z]', word)}
                assert flags <= options_of(tool), f'{page}: {" ".join(words)}'


def test_most_blocks_of_docs_are_run():
    """A block that is not run says why; these are fewer than one in three of all."""
    everything = [(page, block) for page in DOCS for block in blocks(read_page(page))]
    left_out = [(page, block.not_run) for page, block in everything if block.not_run is not None]
    assert all(len(reason.split()) > 2 for _, reason in left_out), left_out
    assert 3 * len(left_out) < max(1, len(everything)), left_out


@pytest.mark.slow
@pytest.mark.parametrize('page', DOCS)
def test_every_block_of_a_page_runs(page, tmp_path):
    """In order, in an empty folder with links to the clone's; a failing block is shown."""
    for name in ('tools', 'configs', 'docs'):
        (tmp_path / name).symlink_to(osp.join(ROOT, name))
    environ = dict(
        os.environ, PATH=f'{osp.dirname(sys.executable)}{os.pathsep}{os.environ["PATH"]}'
    )
    lacking = set()
    for block in blocks(read_page(page)):
        needs = {name for name in block.needs if not os.environ.get(name)}
        lacking |= needs
        if needs or block.not_run is not None:
            continue
        if block.file:
            (tmp_path / block.file).write_text(block.text)
            continue
        shell = ['bash', '-euo', 'pipefail', '-c'] if block.language == 'bash' else ['python', '-c']
        done = subprocess.run(
            [*shell, block.text], cwd=tmp_path, env=environ, capture_output=True, text=True,
            timeout=3600,
        )  # fmt: skip
        assert done.returncode == 0, f'{page}:\n{block.text}\n{done.stderr[-3000:]}'
    if lacking:
        pytest.skip(f'{page}: the blocks that need {", ".join(sorted(lacking))} were not run')
