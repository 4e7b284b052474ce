from pathlib import Path

from docs.build import settings_reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_page_is_up_to_date():
    """Run `make docs` when this fails."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference.page()


def test_the_page_is_written_where_it_stands():
    assert ROOT / "docs" / "settings.md" == settings_reference.PAGE
