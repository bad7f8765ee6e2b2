"""Credentials that services and drivers repeat."""

import json
from urllib.parse import quote, quote_plus

import pytest

from training.errors import SourceRefused
from training.sources.hiding import hide_secret, left_out_of_json, without_secret

SECRET = "C4nary/key+ä &x"


@pytest.mark.parametrize(
    "spelling",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), json.dumps(SECRET)[1:-1]],
)
def test_it_is_found_however_it_is_spelt(spelling: str) -> None:
    assert without_secret(f"no host at https://h/?k={spelling}&b", SECRET) == (
        "no host at https://h/?k=[left out]&b"
    )
    body = f'[{{"self": "https://h/?k={spelling}"}}]'.encode()
    assert json.loads(left_out_of_json(body, [SECRET])) == [{"self": "https://h/?k=[left out]"}]


def test_an_error_keeps_all_but_the_credential() -> None:
    fields = {"url": [f"{SECRET} is wrong"], "number": 3}
    error = SourceRefused(f"said {SECRET}.", code="http_401", fields=fields)
    hide_secret(error, SECRET)
    assert (error.detail, str(error)) == ("said [left out].", "said [left out].")
    assert (error.fields, error.code) == ({"url": ["[left out] is wrong"], "number": 3}, "http_401")


@pytest.mark.parametrize("secret", ["", "a", "rows"])
def test_what_is_too_short_to_be_one_garbles_no_sentence(secret: str) -> None:
    assert without_secret("There are no rows at all.", secret) == "There are no rows at all."
    assert left_out_of_json(b'{"rows": []}', [secret]) == b'{"rows": []}'


@pytest.mark.parametrize("secret", ["1234567", "1.5e+10", '1","b":"', "],[{},["])
def test_what_may_be_more_than_a_text_leaves_the_rows_readable(secret: str) -> None:
    body = b'[{"a":"1","b":"2","c":12345678,"d":11.5e+10,"e":[[],[{},[]]]}]'
    assert json.loads(left_out_of_json(body, [secret])) == json.loads(body)
