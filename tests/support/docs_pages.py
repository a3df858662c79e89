"""Read a page of docs/ as a reader follows it: files to write, commands to run.

A fenced block of `bash` is run as it is; one of `python` whose first line is `# PATH/NAME.py` is
written to that file, any other is run. A comment in the line above a block marks it:

    <!-- needs TCNN_DATA TCNN_WEIGHTS -->   run where these variables are set
    <!-- not run: reason -->                only checked
"""

import argparse
import ast
import functools
import os.path as osp
import re
import shlex
from typing import NamedTuple

from tcnn_mm.bundled_configs import find_config
from tcnn_mm.cli.main import COMMANDS, fill_parser, find_command
from tcnn_mm.errors import UserError
from tests.support.runs import CONFIGS

ROOT = osp.dirname(CONFIGS)
BLOCK = re.compile(r'^(?:<!--([^\n]*?)-->\n)?```(bash|python)\n(.*?)^```', re.M | re.S)
LINK = re.compile(r'\]\((?!\w+:|#)([^)#\s]+)')
# Functions that add options to the parsers of several commands.
SHARED = {
    'add_common_arguments': 'tcnn_mm/cli/arguments.py',
    'add_trust_argument': 'tcnn_mm/cli/arguments.py',
    'add_damping_argument': 'tcnn_mm/cli/arguments.py',
    'add_reading_arguments': 'tcnn_mm/cli/reading.py',
}
NAMED = re.compile(r'\b(?:tcnn_mm|tools|configs|docs|tests)/[\w./-]*\w\.(?:py|sh|md|png|txt)\b')


class Block(NamedTuple):
    """One fenced block: its language, its text, what it needs, why it is not run."""

    language: str
    text: str
    needs: tuple = ()
    not_run: str | None = None

    @property
    def file(self):
        """Name of the file that a block of python is, if it is one."""
        named = re.match(r'# ([\w/-]+\.py)\b', self.text)
        return named.group(1) if self.language == 'python' and named else None


def read_page(name):
    with open(osp.join(ROOT, name), encoding='utf-8') as file:
        return file.read()


def blocks(text):
    """The fenced blocks of a page, in order."""
    found = []
    for mark, language, body in BLOCK.findall(text):
        kind, _, rest = mark.strip().partition(' ')
        if mark and not (kind == 'needs' or mark.strip().startswith('not run: ')):
            raise ValueError(f'<!--{mark}-->: write `needs VARIABLE …` or `not run: reason`')
        needs = tuple(rest.split()) if kind == 'needs' else ()
        not_run = mark.strip()[len('not run: ') :] if mark and not needs else None
        found.append(Block(language, body, needs, not_run))
    return found


def commands(block):
    """The commands of a block of bash as lists of words; comments and variables left out."""
    text = re.sub(r'\\\n\s*', ' ', block.text)
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars='&|;()')
        lexer.whitespace_split, lexer.commenters = True, '#'
        words = []
        for word in [*lexer, ';']:
            if set(word) <= set('&|;()'):
                if words:
                    yield words
                words = []
            elif words or not re.match(r'\w+=', word):
                words.append(word)


def options_of(tool):
    """The `--options` of a tool, as its source adds them (with those that train and test share)."""
    with open(osp.join(ROOT, tool), encoding='utf-8') as file:
        return added_options(ast.parse(file.read()))


def added_options(tree):
    """The same of a syntax tree."""
    options = {'--help'}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, 'attr', getattr(node.func, 'id', None))
        if called == 'add_argument':
            options |= {a.value for a in node.args if isinstance(a, ast.Constant)}
        elif called in SHARED:
            options |= shared_options(called)
        elif called == 'run_script':
            options |= command_options(node.args[0].value)
    return options


def shared_options(name):
    """The `--options` that a function of `cli/arguments.py` or `cli/reading.py` adds."""
    with open(osp.join(ROOT, SHARED[name]), encoding='utf-8') as file:
        tree = ast.parse(file.read())
    (function,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return added_options(function)


@functools.cache
def command_options(name):
    """The `--options` of a command of `tcnn`."""
    return parser_options(fill_parser(argparse.ArgumentParser(), find_command(name)))


def parser_options(parser):
    """The `--options` of a parser, and of its sub-commands."""
    found = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            found.update(*map(parser_options, action.choices.values()))
    return found


def make_targets():
    """The targets of the Makefile."""
    with open(osp.join(ROOT, 'Makefile'), encoding='utf-8') as file:
        return set(re.findall(r'^([a-z-]+):', file.read(), re.M))


def command_problem(words, written=()):
    """What is wrong with a command line: a name, a flag or a config that does not exist.

    Args:
        words (list[str]): `tcnn NAME --flag`, `python tools/X.py --flag`, `make target`, or
            another command, which is not checked.
        written (container[str]): Files that the page writes.

    Returns:
        str | None
    """
    flags = {word.partition('=')[0] for word in words if re.match('--?[a-z]', word)}
    tool = next((word for word in words[:2] if word.startswith('tools/')), None)
    if words[0] == 'make' and not set(words[1:]) <= make_targets():
        return f'no such target: {words}'
    if words[0] == 'tcnn' and f'tcnn_mm/cli/{words[1]}.py' not in written:
        if words[1] not in COMMANDS:
            return f'no such command: {words}'
        if words[1] in ('train', 'test') and words[2] not in written:
            try:
                find_config(words[2])
            except UserError as error:
                return str(error)
        unknown = flags - command_options(words[1])
    elif tool and not osp.isfile(osp.join(ROOT, tool)):
        return f'no such script: {tool}'
    else:
        unknown = flags - options_of(tool) if tool and tool.endswith('.py') else set()
    return f'{unknown} of {" ".join(words)}' if unknown else None
