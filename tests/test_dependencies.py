"""What the package imports is declared, optional packages are optional, and an import is inert."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.toolbox_process import run_script

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'tcnn_mm'
# Import name → distribution, where they differ.
DISTRIBUTIONS = dict(
    PIL='pillow',
    cv2='onedl-mmcv',  # mmcv depends on one of OpenCV's distributions
    mmcv='onedl-mmcv',
    mmdet='onedl-mmdetection',
    mmengine='onedl-mmengine',
    mmpretrain='onedl-mmpretrain',
    sklearn='scikit-learn',
    yaml='pyyaml',
)
# Import name → the extra that installs it.
OPTIONAL = dict(
    mmdet='det',
    timm='timm',
    matplotlib='vis',
    tensorboard='vis',
    gradio='app',
    onnx='export',
    onnxruntime='export',
    onnxscript='export',
    safetensors='export',
    cleanlab='test',
)

# In a process without ours: import the toolbox and scikit-learn, then every module of ours, where
# optional packages, compiled ops and the network are absent. Prints what the imports changed.
IMPORT_ALL = """
import importlib.machinery, json, logging, os, pickle, pkgutil, random, signal
import socket, sys, warnings

class WithoutThem(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition('.')[0] in BLOCKED or name == 'mmcv.ops':
            return None
        return super().find_spec(name, path, target)

assert not set(BLOCKED) & {name.partition('.')[0] for name in sys.modules}
finders = [WithoutThem if f is importlib.machinery.PathFinder else f for f in sys.meta_path]
assert WithoutThem in finders
sys.meta_path[:] = finders
socket.socket.connect = None
import numpy, torch, PIL.Image, PIL.ImageFile
import mmengine.runner, mmcv.transforms, mmpretrain.models, mmpretrain.evaluation
import sklearn.linear_model, sklearn.metrics, sklearn.preprocessing

def state():
    return dict(
        max_image_pixels=PIL.Image.MAX_IMAGE_PIXELS,
        truncated_images=PIL.ImageFile.LOAD_TRUNCATED_IMAGES,
        warning_filters=list(warnings.filters),
        show_warning=warnings.showwarning,
        log_handlers=list(logging.root.handlers),
        log_level=logging.root.level,
        python_random=random.getstate(),
        numpy_random=pickle.dumps(numpy.random.get_state()),
        torch_random=torch.get_rng_state().tolist(),
        threads=torch.get_num_threads(),
        default_dtype=torch.get_default_dtype(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        cudnn_benchmark=torch.backends.cudnn.benchmark,
        gradients=torch.is_grad_enabled(),
        safe_globals=set(torch.serialization.get_safe_globals()),
        folder=os.getcwd(),
        files=sorted(os.listdir()),
        environment=dict(os.environ),
        except_hook=sys.excepthook,
        search_path=list(sys.path),
        interrupt=signal.getsignal(signal.SIGINT),
    )

before = state()
import tcnn_mm
names = [m.name for m in pkgutil.walk_packages(tcnn_mm.__path__, 'tcnn_mm.')]
failed = {}
for name in names:
    if name.endswith('__main__'):
        continue
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
after = state()
changed = {key: repr(after[key])[:200] for key in before if before[key] != after[key]}
print(json.dumps(dict(names=names, failed=failed, changed=changed)))
"""


@pytest.fixture(scope='module')
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the import of every module did in a fresh process: `names`, `failed`, `changed`."""
    script = f'import sys; sys.path.insert(0, {str(ROOT)!r}); BLOCKED = {sorted(OPTIONAL)!r}\n'
    done = run_script(script + IMPORT_ALL, cwd=tmp_path_factory.mktemp('empty'))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def imports_of(node: ast.AST, in_function: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield (top-level name, whether inside a function) of each absolute import below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, 'id', None) == 'TYPE_CHECKING':
            continue  # never run
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition('.')[0], in_function) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield str(child.module).partition('.')[0], in_function
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports_of(child, in_function or inside)


def third_party() -> dict[str, bool]:
    """Return third-party name → whether some module of the package imports it at module level."""
    found: dict[str, bool] = {}
    for path in PACKAGE.rglob('*.py'):
        if '.mim' in path.relative_to(PACKAGE).parts:
            continue
        for name, in_function in imports_of(ast.parse(path.read_text(encoding='utf-8'))):
            if name not in sys.stdlib_module_names and name != 'tcnn_mm':
                found[name] = found.get(name, False) or not in_function
    return found


@pytest.fixture(scope='module')
def declared() -> dict[str, list[str]]:
    """Distributions by extra, as setup.py declares them; `''` holds install_requires."""
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant | ast.List)
    }
    (call,) = (n.value for n in tree.body if isinstance(n, ast.Expr) and is_setup(n.value))
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    code = compile(ast.Expression(keywords['extras_require']), 'setup.py', 'eval')
    extras = eval(code, dict(constants))
    lists = {'': ast.literal_eval(keywords['install_requires']), **extras}
    return {
        extra: [re.split(r'[<>=!~\[ ;]', item)[0] for item in items]
        for extra, items in lists.items()
    }


def is_setup(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, 'id', None) == 'setup'


def test_what_modules_import_is_declared(declared: dict[str, list[str]]) -> None:
    """A package imported at module level is in install_requires; the others are in an extra."""
    found = third_party()
    assert {'torch', 'numpy', 'mmengine'} <= set(found)
    for name, at_module_level in found.items():
        distribution = DISTRIBUTIONS.get(name, name)
        if at_module_level or name not in OPTIONAL:
            assert distribution in declared[''], f'{name}: not in install_requires'
        else:
            assert distribution in declared[OPTIONAL[name]], f'{name}: not in its extra'


def test_nothing_is_declared_in_vain(declared: dict[str, list[str]]) -> None:
    """Each distribution of install_requires is imported by some module."""
    used = {DISTRIBUTIONS.get(name, name) for name in third_party()}
    assert set(declared['']) <= used


def test_modules_import_without_what_is_optional(imported: dict) -> None:
    """Extras, mmcv's compiled ops and the network are absent: every module imports."""
    assert len(imported['names']) > 100 and 'tcnn_mm.cli.main' in imported['names']
    assert imported['failed'] == {}


def test_an_import_leaves_the_process_alone(imported: dict) -> None:
    """Pillow's limits, warnings, logging, random states, folder and environment stay as before."""
    assert imported['changed'] == {}


@pytest.mark.parametrize('name', ['constraints.txt', 'constraints-oldest.txt', 'upstream.txt'])
def test_both_distributions_of_opencv_have_one_version(name: str) -> None:
    """They hold the same module: of two versions, files of both would be installed."""
    pins: dict[str, list[str]] = {'opencv-python': [], 'opencv-python-headless': []}
    for line in (ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines():
        distribution, _, version = line.partition('==')
        if distribution in pins:
            pins[distribution].append(version)
    assert pins['opencv-python'] == pins['opencv-python-headless']
