"""The console's page. That it runs in a browser without asking another host was seen by hand, not here."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from server.transport.ide import WEB, Console
from tests.server.transport.support import http, make_endpoint

pytestmark = pytest.mark.anyio

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def web_folder(at: Path, *, with_assets: bool) -> Path:
    """A folder as `web` is, with assets of a few bytes in place of the real ones."""
    for name in ("assets.json", "console.html", "no-console.html"):
        shutil.copy(WEB / name, at)
    if with_assets:
        (at / "assets").mkdir()
        for asset in json.loads((at / "assets.json").read_text()):
            (at / "assets" / asset["name"]).write_text("/* */")
    return at


async def test_without_its_files_the_page_says_how_to_get_them(tmp_path: Path) -> None:
    async with http(make_endpoint(ide=Console(web_folder(tmp_path, with_assets=False)))) as client:
        page = await client.get("/graphql", headers=BROWSER)

    assert page.status_code == 200
    assert "make console" in page.text
    assert "curl " in page.text


async def test_with_its_files_the_page_names_each_with_its_hash_and_they_are_served(tmp_path: Path) -> None:
    console = Console(web_folder(tmp_path, with_assets=True))
    endpoint = make_endpoint(ide=console)
    async with http(Starlette(routes=[Route("/graphql", endpoint), *console.routes()])) as client:
        page = await client.get("/graphql", headers=BROWSER)
        named = re.findall(r'(?:src|href)="(/assets/[^"]+)" integrity="(sha384-[^"]+)"', page.text)
        statuses = [(await client.get(url)).status_code for url, _ in named]

    listed = json.loads((WEB / "assets.json").read_text())
    assert named == [(f"/assets/{asset['name']}", asset["integrity"]) for asset in listed]
    assert statuses == [200] * 6


@pytest.mark.parametrize("with_assets", [True, False])
async def test_the_policy_lets_the_page_run_its_own_script_and_ask_no_other_host(
    tmp_path: Path, with_assets: bool
) -> None:
    page = Console(web_folder(tmp_path, with_assets=with_assets)).page()
    html, policy = bytes(page.body).decode(), page.headers["content-security-policy"]

    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "://" not in policy


async def test_only_a_browser_gets_the_page(tmp_path: Path) -> None:
    async with http(make_endpoint(ide=Console(web_folder(tmp_path, with_assets=False)))) as client:
        asked = await client.get("/graphql", headers={"accept": "*/*"})
        answered = await client.get(
            "/graphql", params={"query": "{ me }"}, headers=BROWSER | {"graphql-require-preflight": "1"}
        )

    assert asked.status_code == 403
    assert answered.json() == {"data": {"me": "nobody"}}
