"""The package as a user installs it: a wheel in an environment of its own, without the clone."""

import os
import os.path as osp
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(osp.abspath(__file__)).parents[2]
SOURCES = ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml')
FOLDERS = ('tcnn_mm', 'configs', 'tools')


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of the sources, so that nothing stale of the clone is in it."""
    source = folder / 'source'
    source.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    for name in FOLDERS:
        ignored = shutil.ignore_patterns('__pycache__', '*.pyc')
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation',
         '--no-index', '-w', folder, source],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (wheel,) = folder.glob('*.whl')
    return wheel


@dataclass
class Installed:
    """An environment with the wheel.

    Attributes:
        bin: Folder of its `python` and `tcnn`.
        site: Folder of its packages.
    """

    bin: Path
    site: Path

    def run(self, *words: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, `tcnn` say; nothing of the clone is on its path."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'TCNN_'))}
        return subprocess.run(
            [self.bin / str(words[0]), *map(str, words[1:])],
            cwd=cwd, env={**kept, **env}, capture_output=True, text=True, timeout=3600,
        )  # fmt: skip


def install_wheel(wheel: Path, folder: Path) -> Installed:
    """Install a wheel alone; all that it depends on comes from this environment.

    A path file makes this environment's packages importable, but not its editable install of the
    clone: path files of such a folder are not read.
    """
    home = folder / 'venv'
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', home], check=True)
    paths = sysconfig.get_paths(vars=dict(base=str(home), platbase=str(home)))
    installed = Installed(Path(paths['scripts']), Path(paths['purelib']))
    subprocess.run(
        [sys.executable, '-m', 'pip', '--python', installed.bin / 'python', 'install', '-q',
         '--no-deps', '--no-index', wheel],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (installed.site / 'dependencies.pth').write_text(sysconfig.get_paths()['purelib'] + '\n')
    return installed
