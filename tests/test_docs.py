"""What README, CONTRIBUTING and docs/ tell a reader to type exists, and runs."""

import glob
import os
import os.path as osp
import subprocess
import sys

import pytest

from tests.support.docs_pages import (
    LINK,
    NAMED,
    ROOT,
    blocks,
    command_problem,
    commands,
    read_page,
)

DOCS = sorted(
    osp.relpath(path, ROOT)
    for path in glob.glob(osp.join(ROOT, 'docs', '**', '*.md'), recursive=True)
    if osp.basename(osp.dirname(path)) != 'reference'
)
PAGES = [*DOCS, 'README.md', 'CONTRIBUTING.md']
# Their blocks are run by tests/test_guides.py, in the fast set.
GUIDES = [page for page in DOCS if osp.dirname(page) == 'docs/guides']


@pytest.mark.parametrize('page', PAGES)
def test_every_link_and_file_of_a_page_exists(page):
    """Relative links lead somewhere; tools, configs, docs and modules that are named are there."""
    text = read_page(page)
    links = [osp.join(osp.dirname(page), link) for link in LINK.findall(text)]
    # What a block of a guide writes is not there before.
    named = set(NAMED.findall(text)) - {block.file for block in blocks(text)}
    missing = [path for path in [*links, *named] if not osp.exists(f'{ROOT}/{path}')]
    assert missing == []


@pytest.mark.parametrize('page', PAGES)
def test_every_command_of_a_page_has_these_options(page):
    """`tcnn NAME --flag`, `python tools/X.py --flag`, `make target`: they exist, with the flag."""
    written = {block.file for block in blocks(read_page(page))}
    for block in blocks(read_page(page)):
        if block.language == 'python':
            compile(block.text, page, 'exec')
            continue
        for words in commands(block):
            assert command_problem(words, written) is None


def test_most_blocks_of_docs_are_run():
    """A block that is not run says why; these are fewer than one in three of all."""
    everything = [(page, block) for page in DOCS for block in blocks(read_page(page))]
    left_out = [(page, block.not_run) for page, block in everything if block.not_run is not None]
    assert all(len(reason.split()) > 2 for _, reason in left_out), left_out
    assert 3 * len(left_out) < max(1, len(everything)), left_out


@pytest.mark.slow
@pytest.mark.parametrize('page', sorted({*DOCS} - {*GUIDES}))
def test_every_block_of_a_page_runs(page, tmp_path):
    """In order, in an empty folder with links to the clone's; a failing block is shown."""
    for name in ('tools', 'configs', 'docs'):
        (tmp_path / name).symlink_to(osp.join(ROOT, name))
    environ = dict(
        os.environ,
        PATH=f'{osp.dirname(sys.executable)}{os.pathsep}{os.environ["PATH"]}',
        PYTHONPATH=ROOT,
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


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    """`mkdocs build --strict`: every page is in the navigation, every link leads somewhere."""
    pytest.importorskip('mkdocs')
    done = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', tmp_path],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'PatchClassifier' in (tmp_path / 'reference' / 'models.html').read_text()
