"""What messages tell a reader to do: their commands, options, variables, parts and keys.

Messages are the strings of the package and of tools/ that have a space, docstrings left out.
:func:`problems` says what a message names that does not exist.
"""

import ast
import functools
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mmengine.registry
import mmpretrain.models
import torch
from mmengine.optim import MultiStepParamScheduler

import tcnn_mm
from tcnn_mm.cli.main import COMMANDS
from tcnn_mm.engine.config_keys import top_level_keys
from tcnn_mm.engine.config_parts import arguments, registered
from tests.support.docs_pages import command_options, options_of

ROOT = Path(tcnn_mm.__file__).parent.parent
# What is filled in: as it is, and by `shlex.quote`.
VALUE, QUOTED = '\0', '…'
FLAG = re.compile(r'(?<![\w-])--[a-z][\w-]*')
COMMAND = re.compile(r'\btcnn ([a-z]+)((?: [^;,()\n]*)?)')
PIP = re.compile(r'pip install[^;\n]*')
VARIABLE = re.compile(r'\bTCNN_[A-Z]+\b')
FILE = re.compile(r'\b(?:docs|tools|configs|tests)/[\w./-]*\w')
EXTRA = re.compile(r'tcnn_mm\[(\w+)\]')
PART = re.compile(r'\b(tcnn_mm|mmpretrain|mmengine)\.([A-Za-z]\w*)')
CALL = re.compile(r"\b(?:dict\(type='(?:\w+\.)?)?([A-Z]\w*[a-z]\w*)(?:', |\()(\w+)=")
KEY = re.compile(r'(?<![\w.$-])([a-z_]\w*)=')
PATH = re.compile(
    r'\b((?:model|backbone|head|sampler|optim_wrapper|default_hooks|train_cfg|randomness|'
    r'(?:train|val|test)_dataloader)(?:\.[a-z_]\w*)+)'
)
# Where a part of a config is, and what builds it.
BUILT = {
    'model': 'PatchClassifier',
    'model.head': 'AdaptationHead',
    'model.sampler': 'PatchSampler',
    'model.sampler.grid': 'PatchGrid',
    'model.sampler.labeler': 'PatchLabeler',
    'model.backbone': 'TransferAlexNet',
    'model.context': 'ContextHead',
    'default_hooks.checkpoint': 'AtomicCheckpointHook',
}
ENTRIES = {
    'default_hooks': {'checkpoint', 'logger', 'timer', 'param_scheduler', 'sampler_seed'},
    'optim_wrapper': {'optimizer', 'constructor', 'type', 'clip_grad', 'accumulative_counts'},
    'optim_wrapper.optimizer': {'lr', 'momentum', 'weight_decay', 'type'},
    'train_cfg': {'max_epochs', 'max_iters', 'val_interval', 'by_epoch', 'type'},
    'randomness': {'seed', 'deterministic', 'diff_rank_seed'},
    'model.preprocessing': {'size', 'mean', 'std', 'channel_order'},
    'dataset': {'metainfo', 'type', 'indices'},
    'sampler': {'type', 'shuffle'},
    'cross_validation': {'folds', 'repeats', 'pointing'},
}
_COVERAGE = 'tools/analysis_tools/fold_coverage.py'
_AUDITS = 'tools/analysis_tools/audit_simulation.py'
_SIMULATION = 'tools/analysis_tools/suggest_simulation.py'
# These read a finished fit.
_READERS = ('audit', 'suggest', _SIMULATION)
_FORMATS = 'tcnn_mm/datasets/formats'
# Commands that import a file, and never reach its message of an option.
NOT_REACHED = {
    # demo loads what it has just written, benchmark random weights, compare results alone
    ('tcnn_mm/checkpoints/loading.py', '--trust-checkpoint'): (
        'demo', 'compare', 'benchmark', _COVERAGE, _AUDITS, _SIMULATION,
    ),
    # these two plan a fit of known files and scales; others read a finished one
    ('tcnn_mm/estimator/decisions.py', '--quick'): (_COVERAGE, _AUDITS, *_READERS),
    ('tcnn_mm/estimator/plan.py', '--scales'): _READERS,
    (f'{_FORMATS}/check_classes.py', '--allow-missing'): _READERS,
    (f'{_FORMATS}/check_images.py', '--upright'): _READERS,
    (f'{_FORMATS}/detect_format.py', '--format'): _READERS,
    (f'{_FORMATS}/read_data.py', '--unannotated'): _READERS,
    # check reads data and goes on from no fit, others add nothing to one
    ('tcnn_mm/estimator/growth.py', '--out'): ('check', *_READERS),
    # none of these reads a folder of annotations of any format
    ('tcnn_mm/datasets/formats/account.py', '--allow-missing'): (
        'benchmark', 'compare', 'prelabel', *_READERS, 'tools/analysis_tools/score_submission.py',
        'tools/dataset_converters/draw_minivoc.py',
    ),
    # demo chooses thresholds on the images of its own config
    ('tcnn_mm/analysis/validation_set.py', '--ids'): ('demo',),
    # weights lists files and loads none
    ('tcnn_mm/models/backbones/zoo.py', '--pixels'): (
        'weights', _COVERAGE, _AUDITS, 'audit', _SIMULATION,
    ),
    ('tcnn_mm/models/backbones/zoo.py', '--backbone'): ('weights', _SIMULATION),
    ('tcnn_mm/models/backbones/zoo.py', '--weights'): ('weights', _SIMULATION),
}  # fmt: skip


class Message(NamedTuple):
    """A string of a file of ours."""

    path: str
    line: int
    text: str


def sources() -> list[Path]:
    """Files whose messages a user reads."""
    return sorted([*(ROOT / 'tcnn_mm').rglob('*.py'), *(ROOT / 'tools').rglob('*.py')])


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding='utf-8'))


def messages() -> Iterator[Message]:
    """All of them."""
    for path in sources():
        tree, inner = parsed(path), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                inner.add(node.value)  # a docstring
            if isinstance(node, ast.JoinedStr):
                inner.update(node.values)
        for node in ast.walk(tree):
            text = written(node) if node not in inner else None
            if text and ' ' in text.strip() and not text.lstrip().startswith('<'):  # no page
                yield Message(str(path.relative_to(ROOT)), node.lineno, text)


def written(node: ast.AST) -> str | None:
    """Text of a string, with a mark for what is filled in; None for other nodes."""
    if isinstance(node, ast.JoinedStr):
        return ''.join(map(_part, node.values))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _part(value: ast.expr) -> str:
    """A part of an f-string."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    call = getattr(value, 'value', None)
    quotes = isinstance(call, ast.Call) and ast.unparse(call.func) == 'shlex.quote'
    return QUOTED if quotes else VALUE


def problems(message: Message) -> list[str]:
    """What a message names that does not exist."""
    text, found = message.text, []
    for name, rest in COMMAND.findall(text):
        if name not in COMMANDS:
            found.append(f'no command tcnn {name}')
            continue
        unknown = set(FLAG.findall(rest)) - command_options(name)
        found += [f'tcnn {name} has no {flag}' for flag in sorted(unknown)]
        found += ['a value in a command is not quoted: shlex.quote'] if VALUE in rest else []
    for flag in sorted(set(FLAG.findall(PIP.sub('', COMMAND.sub('', text))))):
        exempt = NOT_REACHED.get((message.path, flag), ())
        reaching = [e for e in users(message.path) if e not in exempt]
        lacking = [e for e in reaching if flag not in entry_options(e)]
        given = re.match(rf'{flag}\b', text)  # it begins with what was given
        if lacking and not (given and len(lacking) < len(reaching)):
            found.append(f'{flag}: not of {", ".join(lacking)}')
    found += [f'nothing reads {name}' for name in VARIABLE.findall(text) if name not in variables()]
    found += [f'no file {name}' for name in FILE.findall(text) if not (ROOT / name).exists()]
    setup = (ROOT / 'setup.py').read_text()
    found += [f'no extra {name}' for name in EXTRA.findall(text) if f"'{name}':" not in setup]
    found += [f'no {".".join(names)}' for names in PART.findall(text) if not part_exists(*names)]
    for name, key in CALL.findall(text):
        if name in registered() and key not in (arguments(registered()[name]) or {key}):
            found.append(f'{name} takes no {key}')
    found += [f'nothing takes {key}=' for key in KEY.findall(text) if key not in keys()]
    return found + [f'no key {path}' for path in PATH.findall(text) if not path_exists(path)]


def part_exists(scope: str, name: str) -> bool:
    """Whether `scope.Name` is a registered part, or an attribute or module of the package."""
    if name in ('pth', 'py') or (scope == 'tcnn_mm' and hasattr(tcnn_mm, name)):
        return True
    if scope == 'tcnn_mm' and (ROOT / 'tcnn_mm' / name).exists():
        return True
    if scope == 'tcnn_mm':
        return name in registered()
    registries = vars(mmengine.registry).values()
    return any(
        isinstance(each, mmengine.registry.Registry) and each.get(f'{scope}.{name}') is not None
        for each in registries
    ) or hasattr(__import__(scope), name)


def path_exists(path: str) -> bool:
    """Whether a dotted key of a config is read."""
    before, _, last = path.rpartition('.')
    first = path.partition('.')[0]
    if first.endswith('_dataloader'):
        before, loader = before.partition('.')[2], torch.utils.data.DataLoader.__init__
        if not before:
            return last in loader.__annotations__ or last in ('dataset', 'sampler', 'batch_size')
        return last in ENTRIES[before]
    if first in ('backbone', 'head', 'sampler'):
        before = f'model.{before}'
    if before in BUILT:
        return last in (arguments(registered()[BUILT[before]]) or {last})
    return last in ENTRIES.get(before, ())


@functools.cache
def keys() -> set[str]:
    """Keys of configs, and names of arguments of our functions and of the toolbox's parts."""
    found = {*top_level_keys(), *set().union(*ENTRIES.values())}
    parts = (
        MultiStepParamScheduler,
        torch.optim.SGD,
        mmpretrain.models.ConvNeXt,
        mmpretrain.models.VisionTransformer,
    )
    for kind in parts:
        found |= {*inspect.signature(kind).parameters}
    for path in sources():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.arguments):
                found |= {arg.arg for arg in (*node.posonlyargs, *node.args, *node.kwonlyargs)}
    return found


@functools.cache
def variables() -> set[str]:
    """Environment variables that the package reads: constants of their own."""
    return {
        node.value
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and VARIABLE.fullmatch(str(node.value))
    }


@functools.cache
def imports(path: Path) -> frozenset[Path]:
    """Files of ours that a file imports, inside functions too."""
    package = list(path.relative_to(ROOT).with_suffix('').parts)[:-1]
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            names |= {module, *(f'{module}.{alias.name}' for alias in node.names)}
    files = [ROOT / f'{name.replace(".", "/")}' for name in names]
    both = [each for f in files for each in (f.with_suffix('.py'), f / '__init__.py')]
    return frozenset(each for each in both if each.is_file())


@functools.cache
def reached(path: Path) -> frozenset[Path]:
    """The file and all that it imports, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += imports(file)
    return frozenset(seen)


@functools.cache
def entries() -> dict[str, Path]:
    """Commands of `tcnn` and scripts of tools/: name → file."""
    scripts = {
        str(f.relative_to(ROOT)): f for f in sources() if f.parts[len(ROOT.parts)] == 'tools'
    }
    return {**{name: ROOT / 'tcnn_mm' / 'cli' / f'{name}.py' for name in COMMANDS}, **scripts}


@functools.cache
def users(path: str) -> tuple[str, ...]:
    """Commands and scripts that import a file, directly or not.

    Parts that a config names are imported by their registry alone: train and test build them.
    """
    file, runs = ROOT / path, ('train', 'test')
    found = [name for name, entry in entries().items() if file in reached(entry)]
    if not found or '.register_module(' in file.read_text(encoding='utf-8'):
        found += [name for name in runs if name not in found]
    return tuple(found)


@functools.cache
def entry_options(name: str) -> set[str]:
    """Options of a command or script."""
    return command_options(name) if name in COMMANDS else options_of(name)


def words_named(error: object, start: str) -> list[str]:
    """The words of a command line that a message tells a reader to give, from `start` on.

    They end at `;`, `(`, `)`, `, or` and at the end of the line.
    """
    found = re.search(rf'(?<![\w-]){re.escape(start)}\b.*?(?=[;()\n]|, or|$)', str(error))
    assert found, f'{start} is not in {error}'
    return shlex.split(found.group())
