"""What may be asked of a gateway by hand; `tests/scraper/cli/test_raw.py` shows that both commands ask."""

import pytest

from scraper.errors import WrongUseError
from scraper.gateway.raw_request import judge_path


@pytest.mark.parametrize(
    "path",
    [
        "@evil.example/x",
        ":8443/x",
        "//evil.example/x",
        "https://evil.example/x",
        "/x/https://evil.example",
        "/@evil.example",
        "/%40evil",
        "/ivp/../admin",
        "/ivp/%2e%2e/admin",
        "/ivp/%252e%252e/admin",
        "/ivp meters",
        "/ivp\r\nX-Y: z",
        "/ivp%0d%0aX-Y:z",
        "/ivp#x",
        "/\\evil",
        "/h\u00e4user",
        "/" + "x" * 512,
        "ivp/meters",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path):
    with pytest.raises(WrongUseError, match="a path "):
        judge_path(path)


@pytest.mark.parametrize("path", ["/", "/ivp/meters", "/api/v1/production?x=1&y=%2F"])
def test_a_path_of_the_gateway_is_taken_as_it_is(path):
    assert judge_path(path) == path
