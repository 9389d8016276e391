"""Fetch the files of the GraphQL console from npm into web/assets/. Needs Node; run again, it does nothing.

Every file is checked against the hash in assets.json, which the browser checks again.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
INSTALL = ("install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent")


def main() -> int:
    assets = json.loads((WEB / "assets.json").read_text("utf-8"))
    target = WEB / "assets"
    if all(is_genuine(target / asset["name"], asset["integrity"]) for asset in assets):
        return say(f"The console is complete: {target}")
    npm = shutil.which("npm")
    if npm is None:
        return say("The console needs Node (npm) once, to fetch its files. Everything else works without.", 1)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(WEB / "package.json", folder)
        subprocess.run([npm, *INSTALL], cwd=folder, check=True)
        target.mkdir(exist_ok=True)
        for asset in assets:
            package = asset["package"].rpartition("@")[0]
            source = Path(folder) / "node_modules" / package / asset["file"]
            if not is_genuine(source, asset["integrity"]):
                return say(f"{asset['package']} {asset['file']} is not the file that was reviewed. Not copied.", 1)
            shutil.copy(source, target / asset["name"])
    return say(f"Fetched {len(assets)} files into {target}")


def is_genuine(path: Path, integrity: str) -> bool:
    """Whether the file is there and has the hash `integrity`, in the form of the HTML attribute."""
    if not path.is_file():
        return False
    return integrity == "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def say(text: str, status: int = 0) -> int:
    sys.stderr.write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
