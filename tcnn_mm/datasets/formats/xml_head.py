"""What the formats in XML share: the kind of a file by its first element, and its encoding."""

import re
import xml.etree.ElementTree as ET

HEAD = 4096
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


def parse_xml(data: bytes) -> ET.Element:
    """The root of an XML file; the parser itself knows no encoding of several bytes but UTF-8.

    Raises:
        ET.ParseError, ValueError, LookupError: Broken XML, or bytes of another encoding than it
            declares, or of one that Python does not know.
    """
    declared = DECLARED.match(data)
    if declared is None or data.startswith((b'\xff\xfe', b'\xfe\xff')):
        return ET.fromstring(data)
    return ET.fromstring(data[declared.end() :].decode(declared.group(1).decode('ascii')))
