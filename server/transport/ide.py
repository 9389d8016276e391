"""GraphiQL from our own origin: the page asks no other host for anything, so it also works where there is none.

Its files are not in the repository (4 MB): `web/fetch_assets.py` takes them from npm and checks them. Without them the
page says how to get them.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).resolve().parents[2] / "web"

POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Inline styles: the editor positions its lines with them."""


class Console:
    """The page at GET /graphql. Whether the assets are there is looked up once, at start."""

    def __init__(self, web: Path = WEB, url: str = "/assets") -> None:
        listed = json.loads((web / "assets.json").read_text("utf-8"))
        self.assets = web / "assets"
        self.url = url
        self.complete = all((self.assets / asset["name"]).is_file() for asset in listed)
        if self.complete:
            tags = "\n    ".join(tag(f"{url}/{asset['name']}", asset["integrity"]) for asset in listed)
            self._html = (web / "console.html").read_text("utf-8").replace("<!-- assets -->", tags)
        else:
            self._html = (web / "no-console.html").read_text("utf-8")
        self._policy = POLICY.format(script=hash_of_scripts(self._html))

    def page(self) -> HTMLResponse:
        return HTMLResponse(
            self._html,
            headers={
                "Content-Security-Policy": self._policy,
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def routes(self) -> list[Mount]:
        """What the application serves beside the endpoint; without assets everything under it is 404."""
        return [Mount(self.url, StaticFiles(directory=self.assets, check_dir=False), name="assets")]


def tag(url: str, integrity: str) -> str:
    if url.endswith(".css"):
        return f'<link rel="stylesheet" href="{url}" integrity="{integrity}" crossorigin />'
    return f'<script src="{url}" integrity="{integrity}" crossorigin></script>'


def hash_of_scripts(html: str) -> str:
    """The policy's sources for the inline scripts of `html`, so that no other inline script runs."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
