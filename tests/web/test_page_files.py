"""How the built files are served: strict headers, by their exact names, and nothing else."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from receiver.http.page import PageRoutes

INDEX = b"<!doctype html><title>page</title>" + b" " * 900
SCRIPT = b"console.log(1);" * 100


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_bytes(INDEX)
    (tmp_path / "dist" / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "secret.js").write_bytes(b"no")
    return tmp_path / "dist"


def make_client(directory: Path, root_path: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=PageRoutes(directory).make_routes()), root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url="http://page")


async def test_the_page_allows_nothing_but_its_own_host(directory: Path) -> None:
    async with make_client(directory) as browser:
        answer = await browser.get("/")
    assert answer.content == INDEX
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"


async def test_files_with_a_hash_in_their_name_are_kept_without_limit_and_the_page_is_asked_for_again(
    directory: Path,
) -> None:
    async with make_client(directory) as browser:
        script = await browser.get("/assets/index-1a2b.js")
        page = await browser.get("/")
        again = await browser.get("/", headers={"if-none-match": page.headers["etag"]})
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert again.status_code == 304
    assert again.content == b""


async def test_files_are_packed_for_browsers_that_take_that(directory: Path) -> None:
    async with make_client(directory) as browser:
        packed = await browser.get("/assets/index-1a2b.js")
        plain = await browser.get("/assets/index-1a2b.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT))
    assert packed.content == plain.content == SCRIPT
    assert "content-encoding" not in plain.headers


async def test_the_manifest_has_the_name_of_the_system_that_the_page_gives(directory: Path) -> None:
    (directory / "manifest.webmanifest").write_text('{"name": "Solar", "short_name": "Solar", "start_url": "./"}')
    async with make_client(directory) as browser:
        plain = await browser.get("/manifest.webmanifest")
        named = await browser.get("/manifest.webmanifest", params={"name": 'Home "of" <us>'})
        long = await browser.get("/manifest.webmanifest", params={"name": "x" * 5000})
    for answer in (plain, named, long):
        assert answer.headers["content-type"] == "application/manifest+json"
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert plain.json()["name"] == "Solar"
    assert named.json() == {"name": 'Home "of" <us>', "short_name": 'Home "of" <us>', "start_url": "./"}
    assert len(long.json()["name"]) == 100


@pytest.mark.parametrize(
    "path",
    ["/assets/", "/assets/other.js", "/secret.js", "/../secret.js", "/%2e%2e/secret.js", "/assets/..%2findex.html"],
)
async def test_no_address_reaches_any_other_file(directory: Path, path: str) -> None:
    async with make_client(directory) as browser:
        assert (await browser.get(path)).status_code == 404


async def test_nothing_can_be_sent_to_the_page(directory: Path) -> None:
    async with make_client(directory) as browser:
        assert (await browser.post("/")).status_code == 405
        head = await browser.head("/")
    assert head.status_code == 200
    assert head.content == b""


async def test_a_receiver_without_the_built_page_says_so(tmp_path: Path) -> None:
    async with make_client(tmp_path / "nothing") as browser:
        answer = await browser.get("/")
    assert answer.status_code == 404
    assert "make web" in answer.text
    assert answer.text.count("\n") == 1
