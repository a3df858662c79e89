"""The worked examples of docs/guides/ work: every block is written to its file or run, in order."""

import importlib.util
import sys

import pytest
from PIL import Image

from tcnn_mm.cli import main as tcnn
from tests.support.docs_pages import blocks, commands, read_page


def follow(page, folder):
    """Follow a guide in `folder`, in this process; yield the blocks that are files."""
    for block in blocks(read_page(page)):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            yield block
        elif block.language == 'python':
            exec(compile(block.text, page, 'exec'), {'__name__': '__guide__'})
        else:
            for words in commands(block):
                assert words[0] == 'tcnn', words
                tcnn.main(words[1:])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder whose modules can be imported; they are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], '__file__', '')):
            del sys.modules[name]


@pytest.mark.parametrize('what', ['backbone', 'data_set', 'metric'])
def test_a_registered_part(what, folder):
    """Part and config of the guide train, test, and hold what its last block asserts."""
    files = [block.file for block in follow(f'docs/guides/add_a_{what}.md', folder)]
    assert len(files) >= 2
    (checkpoint,) = folder.glob('work_dirs/*/epoch_1.pth')
    assert (checkpoint.parent / 'voc_ap.json').is_file()


def test_a_command(folder, monkeypatch, capsys):
    """The module of the guide is a command once its name is in `COMMANDS`."""
    (folder / 'photos').mkdir()
    for name, size in (('large.png', (200, 100)), ('small.png', (40, 80))):
        Image.new('RGB', size).save(folder / 'photos' / name)
    monkeypatch.setattr(tcnn, 'COMMANDS', (*tcnn.COMMANDS, 'sizes'))
    for block in follow('docs/guides/add_a_command.md', folder):
        spec = importlib.util.spec_from_file_location('tcnn_mm.cli.sizes', folder / block.file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setitem(sys.modules, 'tcnn_mm.cli.sizes', module)
    assert capsys.readouterr().out.splitlines() == ['small.png: 40×80']
    with pytest.raises(SystemExit) as end:
        tcnn.main(['sizes', 'nowhere'])
    assert end.value.code == 1 and 'no folder: nowhere' in capsys.readouterr().err
