"""The kind of an XML file by its first element."""

import re

HEAD = 4096


def first_element(path: str) -> str:
    """Name of the first element in lower case, without its namespace; '' where there is none.

    Reads the beginning of the file alone, in UTF-8, UTF-16 or an encoding with ASCII's letters.
    """
    with open(path, 'rb') as file:
        head = file.read(HEAD)
    if head[:2] in (b'\xff\xfe', b'\xfe\xff'):
        head = head.decode('utf-16', 'replace').encode('utf-8')
    head = re.sub(rb'<!--.*?-->', b'', head, flags=re.DOTALL)
    first = re.search(rb'<\s*(?:[\w.-]+:)?([\w.-]+)', head)
    return first.group(1).decode('ascii', 'replace').lower() if first else ''
