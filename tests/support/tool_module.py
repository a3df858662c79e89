"""A command of tools/ run in this process: its start costs seconds in one of its own."""

import importlib.util
import os.path as osp

TOOLS = osp.join(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))), 'tools')


def run_tool_main(monkeypatch, name, *arguments):
    """Run `tools/NAME.py ARGUMENTS`; a :class:`UserError` comes out as it is."""
    path = osp.join(TOOLS, f'{name}.py')
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr('sys.argv', [path, *map(str, arguments)])
    module.main()
