"""Hostile and broken checkpoints: name → a function that writes one as a path without suffix."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tcnn_mm.checkpoints.safetensors_file import META_KEY


class Runs:
    """Makes the folder `ran` when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ('ran',)


def saved(content: Any, **options: Any) -> Callable[[Path], Path]:
    """A file of torch.save."""

    def write(path: Path) -> Path:
        torch.save(content, path.with_suffix('.pth'), **options)
        return path.with_suffix('.pth')

    return write


def raw(data: bytes, suffix: str = '.pth') -> Callable[[Path], Path]:
    """A file of these bytes."""

    def write(path: Path) -> Path:
        path.with_suffix(suffix).write_bytes(data)
        return path.with_suffix(suffix)

    return write


def tensors(header: bytes, data: bytes = b'', size: int | None = None) -> Callable[[Path], Path]:
    """A safetensors file with this header."""
    length = len(header) if size is None else size
    return raw(struct.pack('<Q', length) + header + data, '.safetensors')


def with_config(text: Any) -> Callable[[Path], Path]:
    """A checkpoint whose config is this text."""
    return saved(dict(meta=dict(cfg=text, tcnn_mm=dict(version='1')), state_dict={}))


def safetensors_config(text: str) -> Callable[[Path], Path]:
    """The same as safetensors."""
    meta = json.dumps(dict(cfg=text, tcnn_mm=dict(version='1')))
    return tensors(json.dumps({'__metadata__': {META_KEY: meta}}).encode())


def entry(**values: Any) -> Callable[[Path], Path]:
    """A safetensors file of one tensor, described so."""
    good = dict(dtype='F32', shape=[1], data_offsets=[0, 4])
    return tensors(json.dumps(dict(w=dict(good, **values))).encode(), b'\0' * 4)


PICKLE = b"cos\nmkdir\n(S'ran'\ntR."
RUN = "model = dict(type='os.mkdir', path='ran')"
CHECKPOINTS: dict[str, Callable[[Path], Path]] = {
    'empty': raw(b''),
    'zeros': raw(b'\0' * 500),
    'text': raw(b'hello'),
    'pickle': raw(PICKLE),
    'zip': raw(b'PK\3\4' + b'\0' * 100),
    'reduce': saved(dict(state_dict={}, extra=Runs())),
    'reduce_legacy': saved(dict(extra=Runs()), _use_new_zipfile_serialization=False),
    'reduce_key': saved(dict(state_dict={'w': Runs()})),
    'list': saved([1, 2]),
    'number': saved(3),
    'no_meta': saved(dict(state_dict={})),
    'meta_list': saved(dict(meta=[1], state_dict={})),
    'record_list': saved(dict(meta=dict(cfg='a = 1', tcnn_mm=[1]), state_dict={})),
    'objects': saved(dict(a=np.array([dict()], dtype=object))),
    'config_type': with_config(RUN),
    'config_code': with_config("import os\nos.mkdir('ran')"),
    'config_call': with_config("model = __import__('os').mkdir('ran')"),
    'config_imports': with_config("custom_imports = dict(imports=['antigravity'])"),
    'config_scope': with_config("default_scope = 'evil'"),
    'config_number': with_config(3),
    'config_deep': with_config('model = ' + '[' * 5000),
    'config_no_model': with_config('a = 1'),
    'config_text_model': with_config("model = 'text'"),
    'config_other_model': with_config("model = dict(type='ReLU')"),
    'safetensors_empty': raw(b'', '.safetensors'),
    'safetensors_long': tensors(b'{}', size=2**62),
    'safetensors_json': tensors(b'{"w":'),
    'safetensors_nested': tensors(b'[' * 50_000),
    'safetensors_meta': tensors(json.dumps({'__metadata__': {META_KEY: '[1'}}).encode()),
    'safetensors_meta_list': tensors(json.dumps({'__metadata__': {META_KEY: '[1]'}}).encode()),
    'safetensors_offsets': entry(data_offsets=[0, 400]),
    'safetensors_negative': entry(shape=[-1]),
    'safetensors_huge': entry(shape=[2**40, 2**40]),
    'safetensors_type': entry(dtype='OBJECT'),
    'safetensors_pickle': raw(PICKLE, '.safetensors'),
    'safetensors_config': safetensors_config(RUN),
}  # fmt: skip
