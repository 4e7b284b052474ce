import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_page_is_up_to_date():
    """Run `make docs` when this fails."""
    script = runpy.run_path(str(ROOT / "scripts" / "settings_reference.py"))
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == script["page"]()
