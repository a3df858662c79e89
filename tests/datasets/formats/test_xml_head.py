"""XML is read without document types, entities and depth, in the encoding that it declares."""

import time

import pytest

from tcnn_mm.datasets.formats.voc_xml import read_voc_xml
from tcnn_mm.datasets.formats.xml_head import DEEPEST, parse_xml
from tcnn_mm.errors import UserError

LAUGHS = ''.join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
HOSTILE = dict(
    laughs=f'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]><annotation>&m;</annotation>',
    quadratic=f'<!DOCTYPE a [<!ENTITY a "{"a" * 99999}">]><annotation>{"&a;" * 9999}</annotation>',
    external='<!DOCTYPE a [<!ENTITY a SYSTEM "secret.txt">]><annotation>&a;</annotation>',
    parameter='<!DOCTYPE a [<!ENTITY % a SYSTEM "file:///dev/zero"> %a;]><annotation/>',
    dtd='<!DOCTYPE annotation SYSTEM "http://127.0.0.1:9/a.dtd"><annotation/>',
    internal='<!DOCTYPE annotation><annotation/>',
    deep='<annotation>' + '<a>' * 100_000 + '</a>' * 100_000 + '</annotation>',
    unclosed='<annotation>' + '<a>' * 100_000,
    undefined='<annotation>&nothing;</annotation>',
    empty='',
    zeros='\0' * 100,
)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16', 'declared'])
@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_xml_is_one_line(name, encoding, tmp_path, monkeypatch):
    """At once, with the file; nothing is expanded, opened or fetched."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret.txt').write_text('42')
    text = HOSTILE[name]
    if encoding == 'declared':
        text, encoding = f'<?xml version="1.0" encoding="latin-1"?>{text}', 'latin-1'
    (tmp_path / 'a.xml').write_bytes(text.encode(encoding))
    began = time.process_time()
    with pytest.raises(UserError, match='a.xml: broken XML') as refused:
        read_voc_xml(tmp_path / 'a.xml')
    assert time.process_time() - began < 2
    assert len(str(refused.value).splitlines()) == 1 and '42' not in str(refused.value)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16', 'latin-1', 'gb18030', 'cp1252'])
def test_declared_encodings(encoding):
    """Text in the encoding that the file declares."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>'
    assert parse_xml(text.encode(encoding)).text == 'é'


def test_depth():
    """As deep as is allowed."""
    assert parse_xml(b'<a>' * DEEPEST + b'</a>' * DEEPEST) is not None
    with pytest.raises(ValueError, match='nested'):
        parse_xml(b'<a>' * (DEEPEST + 1) + b'</a>' * (DEEPEST + 1))
