"""The account counts what is repaired or left out, and stops at a loss of more than 2 %."""

import pytest

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.errors import UserError


def test_every_reason_is_one_line_with_its_first_place():
    """The table has count, reason and an example; notes follow, each once."""
    account = Account()
    for at in range(12):
        account.repair('box clipped', f'a.xml: object {at}')
    account.lose_image('no such image', 'b.xml')
    account.leave_unused('mask', 'c.png')
    account.note('two classes')
    account.note('two classes')
    assert account.lines() == [
        '12  repaired: box clipped (a.xml: object 0)',
        ' 1  image left out: no such image (b.xml)',
        ' 1  file not used: mask (c.png)',
        'note: two classes',
    ]


@pytest.mark.parametrize('what', ['images', 'objects'])
def test_a_loss_above_two_per_cent_stops(what):
    """2 of 100 pass; 3 of 100 are an error with reason and places, unless they are allowed."""
    account = Account()
    lose = account.lose_image if what == 'images' else account.lose_object
    used = {'images': 1000, 'objects': 1000, what: 97}
    for at in range(2):
        lose('damaged', f'{at}.jpg')
    account.check('data', **dict(used, **{what: 98}))
    lose('damaged', '2.jpg')
    with pytest.raises(UserError) as caught:
        account.check('data', **used)
    text = str(caught.value)
    assert f'3 of 100 annotated {what}' in text and '3 × damaged (0.jpg, 1.jpg, 2.jpg)' in text
    assert '--allow-missing' in text and '\n' not in text
    account.check('data', **used, allow_missing=True)


def test_nothing_left_stops_always():
    """A loss of everything is an error though losses are allowed."""
    account = Account()
    account.lose_image('damaged', 'a.jpg')
    with pytest.raises(UserError, match='1 of 1 annotated images'):
        account.check('data', 0, 0, allow_missing=True)
