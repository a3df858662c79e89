"""setup.py, the tools, CI and the tested set agree on the Pythons; each Python has the set."""

import importlib.util
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.support.time_limit import LONGEST

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = re.findall(r'Python :: (3\.\d+)', (ROOT / 'setup.py').read_text(encoding='utf-8'))


def test_the_oldest_is_named_once():
    """setup.py's classifiers and python_requires, ruff's and mypy's target."""
    assert [f'3.{minor}' for minor in range(10, 10 + len(VERSIONS))] == VERSIONS
    oldest = VERSIONS[0]
    assert f"python_requires='>={oldest}'" in (ROOT / 'setup.py').read_text(encoding='utf-8')
    tools = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    assert f'target-version = "py{oldest.replace(".", "")}"' in tools
    assert f'python_version = "{oldest}"' in tools


def test_ci_runs_each():
    """The newest releases on each Python of the classifiers, and the tested set."""
    text = (ROOT / '.github' / 'workflows' / 'checks.yml').read_text(encoding='utf-8')
    jobs = yaml.safe_load(text)['jobs']
    for name in ('tests', 'tested-set'):
        assert {*jobs[name]['strategy']['matrix']['python'], '3.11'} == set(VERSIONS), name


@pytest.mark.parametrize('version', VERSIONS)
def test_one_pin_per_package(version):
    """Of several lines for a package, at most one holds for each Python."""
    lines = (ROOT / 'requirements' / 'constraints.txt').read_text(encoding='utf-8').splitlines()
    texts = [line.partition('#')[0].strip() for line in lines]
    pins = [Requirement(text) for text in texts if text]
    environment = dict(python_version=version)
    held = [pin.name for pin in pins if not pin.marker or pin.marker.evaluate(environment)]
    assert len(held) == len(set(held))


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec('uv'), reason='uv is not installed')
def test_the_set_resolves():
    """The package index has wheels of all but the toolbox for each Python (needs the network)."""
    done = subprocess.run(
        [sys.executable, ROOT / '.ci' / 'resolve'], capture_output=True, text=True, timeout=LONGEST
    )
    if re.search('dns error|Connect|timed out', done.stderr):
        pytest.skip(f'the package index is out of reach: {done.stderr.splitlines()[-1]}')
    assert done.returncode == 0, done.stderr
    assert re.findall(r'Python (\S+):', done.stdout) == VERSIONS


def test_the_script_reads_the_pythons():
    """`.ci/resolve` takes them from setup.py."""
    assert runpy.run_path(str(ROOT / '.ci' / 'resolve'))['supported']() == VERSIONS
