"""The scripts of tools/, found by name and run in this process: a new one imports for seconds."""

import importlib.util
import os.path as osp
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tcnn_mm.cli.main import build_parser

TOOLS = osp.join(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))), 'tools')


def tool_path(name: str) -> str:
    """Path of a script, whichever sub-folder of tools/ it is in: `sweep_k` or `sweep_k.py`."""
    (path,) = Path(TOOLS).rglob(name if Path(name).suffix else f'{name}.py')
    return str(path)


def load_tool(name: str) -> ModuleType:
    """Import a script as a module, without running its `main`; its folder comes on the path."""
    path = tool_path(name)
    if osp.dirname(path) not in sys.path:
        sys.path.append(osp.dirname(path))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run_command(*arguments: object) -> None:
    """Run `tcnn ARGUMENTS` in this process; a :class:`UserError` comes out as it is."""
    args = build_parser().parse_args(list(map(str, arguments)))
    args.run(args)


def run_tool_main(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: object) -> None:
    """Run `tools/**/NAME.py ARGUMENTS`; a :class:`UserError` comes out as it is."""
    module = load_tool(name)
    monkeypatch.setattr('sys.argv', [tool_path(name), *map(str, arguments)])
    module.main()
