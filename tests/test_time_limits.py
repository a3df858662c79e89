"""No test fails because the machine is full: limits of the clock are for hangs alone."""

import re
from pathlib import Path

import torch
from hypothesis import settings

from tests.support.time_limit import LONGEST

# Seconds that a test waits for something that is to come.
LIMIT = re.compile(r'(?:alarm\(|timeout=|(?:worker|process|thread|child)\.join\()([1-9]\d*)')
# Connections that are to be refused at once; the examples below.
REFUSED = {'test_offline.py', Path(__file__).name}


def test_waits_are_long():
    """Each wait of a test for another process is `LONGEST`, or longer."""
    short = [
        (path.name, found.group())
        for path in Path(__file__).parent.rglob('*.py')
        if path.name not in REFUSED
        for found in LIMIT.finditer(path.read_text(encoding='utf-8'))
        if int(found.group(1)) < LONGEST
    ]
    assert short == []


def test_short_waits_are_found():
    """Each way to write one."""
    for text in ('signal.alarm(60)', 'queue.get(timeout=60)', 'worker.join(10)'):
        assert LIMIT.search(text)


def test_hypothesis_has_no_deadline():
    """Examples of property tests may take any time."""
    assert settings().deadline is None


def test_forked_tests_do_not_wait_for_threads():
    """However pytest is called: OpenMP's threads do not exist in a process that is forked."""
    assert torch.get_num_threads() == 1
