"""What the formats in XML share: kind of a file by its first element, encoding, numbers."""

import math
import re
import xml.etree.ElementTree as ET
from xml.parsers import expat

from tcnn_mm.errors import UserError

HEAD = 4096
# Levels of elements; annotations have about six.
DEEPEST = 100
DECLARED = re.compile(rb'\s*<\?xml[^>]*?encoding=["\']([\w.-]+)["\'][^>]*\?>')


def first_element(path: str) -> str:
    """Name of the first element in lower case, without its namespace; '' where there is none.

    Reads the beginning of the file alone, in UTF-8, UTF-16 or an encoding with ASCII's letters.
    """
    first = re.search(rb'<\s*(?:[\w.-]+:)?([\w.-]+)', xml_head(path))
    return first.group(1).decode('ascii', 'replace').lower() if first else ''


def xml_head(path: str) -> bytes:
    """The first bytes of a file as ASCII or UTF-8, without comments."""
    with open(path, 'rb') as file:
        head = file.read(HEAD)
    if head[:2] in (b'\xff\xfe', b'\xfe\xff'):
        head = head.decode('utf-16', 'replace').encode('utf-8')
    return re.sub(rb'<!--.*?-->', b'', head, flags=re.DOTALL)


def read_number(text: str | None, what: str) -> float:
    """The finite number that a text of an element or attribute is.

    Args:
        text: None where it is missing.
        what: File and place, for the error.

    Raises:
        UserError: It is no number.
    """
    try:
        value = float(text or '')
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f'{what} is {text!r}, expected a number')
    return value


def parse_xml(data: bytes) -> ET.Element:
    """The root of an XML file; the parser itself knows no encoding of several bytes but UTF-8.

    Annotations need no document type. Without one there are no entities to expand and none to
    fetch, which is all that defusedxml refuses.

    Raises:
        ET.ParseError, ValueError, LookupError: Broken XML, or bytes of another encoding than it
            declares, or of one that Python does not know; a document type; elements nested deeper
            than :data:`DEEPEST`.
    """
    declared = DECLARED.match(data)
    text: bytes | str = data
    if declared is not None and not data.startswith((b'\xff\xfe', b'\xfe\xff')):
        text = data[declared.end() :].decode(declared.group(1).decode('ascii'))
    refuse_document_type(text)
    return ET.fromstring(text)


def refuse_document_type(text: bytes | str) -> None:
    """Read XML once without building anything, up to what is refused.

    Raises:
        ValueError: It has a document type, or elements nested too deeply.
        ET.ParseError: Broken XML.
    """
    parser = expat.ParserCreate()
    depth = 0

    def begin(name: str, attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f'elements nested deeper than {DEEPEST}')

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*declaration: object) -> None:
        raise ValueError('it has a <!DOCTYPE>, and annotations need none: remove it')

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ET.ParseError(str(error)) from error
