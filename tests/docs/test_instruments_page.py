"""The page of the virtual instruments says what they understand."""

from docs.build import instruments_page


def test_the_page_is_up_to_date():
    """Run `python -m docs.build.instruments_page` when this fails."""
    text = instruments_page.PAGE.read_text(encoding="utf-8")
    assert text == instruments_page.page(text)
    assert "| `smua.source.levelv` |" in text
    assert "| `TI` |" in text
