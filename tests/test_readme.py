"""README and docs/parts.md name all that is there, and only that."""

import glob
import os.path as osp
import re

import tcnn_mm.registry as ours
from tcnn_mm.cli.main import COMMANDS
from tests.support.docs_pages import ROOT, read_page
from tests.support.runs import CONFIGS

README = read_page('README.md')
PARTS = read_page('docs/parts.md')


def test_readme_is_one_screen():
    """What does not fit belongs to docs/."""
    assert len(README.splitlines()) <= 120


def test_every_file_that_the_readme_names_exists():
    """Tools, configs, pages and images that the README names are in the repository."""
    paths = set(re.findall(r'\b(?:tools|configs|docs)/[\w./-]*\w\.\w+', README))
    assert len(paths) > 8
    assert [path for path in sorted(paths) if not osp.isfile(osp.join(ROOT, path))] == []


def test_every_page_of_docs_is_linked():
    """README and docs/index.md lead to every page but the reference of modules."""
    for front in ('README.md', 'docs/index.md'):
        links = set(re.findall(r'\]\((?:docs/)?([\w/]+\.md)', read_page(front)))
        pages = glob.glob(osp.join(ROOT, 'docs', '**', '*.md'), recursive=True)
        pages = {osp.relpath(page, osp.join(ROOT, 'docs')) for page in pages} - {'index.md'}
        assert {page for page in pages if not page.startswith('reference/')} - links == set()


def test_every_registered_name_has_its_row():
    """A name that a user can type in a config is in docs/parts.md."""
    registries = (
        ours.MODELS, ours.TASK_UTILS, ours.DATASETS, ours.TRANSFORMS, ours.METRICS, ours.HOOKS,
        ours.OPTIM_WRAPPER_CONSTRUCTORS, ours.VISUALIZERS, ours.FUNCTIONS,
    )  # fmt: skip
    for registry in registries:
        registry.import_from_location()
        assert {name for name in registry.module_dict if f'`{name}`' not in PARTS} == set()


def test_every_command_and_config_is_listed():
    """docs/parts.md has every command of `tcnn` and every config that is no mixing."""
    rows = PARTS[PARTS.index('## Configs') :]
    assert {
        name for name in COMMANDS if f'`{name}`' not in rows and f'tcnn {name}' not in rows
    } == (set())
    names = {osp.splitext(osp.basename(path))[0] for path in glob.glob(osp.join(CONFIGS, '*.py'))}
    assert {name for name in names if f'`{name}`' not in rows} == set()
