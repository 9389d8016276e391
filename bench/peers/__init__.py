"""Other servers, in JavaScript, with small schema files of our own on the same data. Optional: they need Node."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


@cache
def why_not() -> str | None:
    """Why the peers cannot run here; None where they can."""
    node = shutil.which("node")
    if node is None:
        return "Node is not installed on this machine"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < 20:
        return f"Node {version} is too old; 20 or later is needed"
    if not (MODULES / "better-sqlite3").exists():
        return "not installed: run `python -m bench peers` once"
    return None


def command(script: str) -> list[str]:
    """PostGraphile needs Node 22, which npm brings along; the others run on this machine's own Node."""
    bundled = MODULES / "node" / "bin" / "node"
    node = str(bundled) if script == "postgraphile.mjs" and bundled.exists() else "node"
    return [node, str(HERE / script)]


def install() -> None:
    """
    Raises:
        subprocess.CalledProcessError: npm failed, and said why.
    """
    npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=HERE, check=True, timeout=900)


def versions() -> dict[str, str]:
    """What is installed, by package."""
    names = ("mercurius", "graphql-yoga", "graphql-ws", "postgraphile", "better-sqlite3")
    files = {name: MODULES / name / "package.json" for name in names}
    return {name: json.loads(path.read_text())["version"] for name, path in files.items() if path.exists()}
