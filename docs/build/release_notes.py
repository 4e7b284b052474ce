"""Print what the changelog says of a version, if package and citation name the same one.

python -m docs.build.release_notes 0.2.0
"""

import argparse
import re
import tomllib
from pathlib import Path

from nanogap.cli.programs import run_main

ROOT = Path(__file__).resolve().parents[2]


def notes(version: str) -> str:
    """Return the section of a version in CHANGELOG.md.

    Raises
    ------
    SystemExit
        If pyproject.toml or CITATION.cff name another version, or the changelog has no section of
        it, or one without a date.
    """
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, found in (
        ("pyproject.toml", package["project"]["version"]),
        ("CITATION.cff", _first(r"^version: (.*)$", "CITATION.cff")),
    ):
        if found != version:
            raise SystemExit(f"{name} has version {found}, not {version}")
    number = re.escape(version)
    text = _first(rf"^## \[{number}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## \[|\Z)", "CHANGELOG.md")
    if text is None:
        raise SystemExit(f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD'")
    return text.strip() + "\n"


def _first(pattern: str, name: str) -> str | None:
    text = (ROOT / name).read_text(encoding="utf-8")
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL if "\\Z" in pattern else re.MULTILINE)
    return match[1] if match else None


def main() -> None:
    """Print the notes of a version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="as in pyproject.toml, without the v of the tag")
    print(notes(parser.parse_args().version), end="")


if __name__ == "__main__":
    run_main(main)
