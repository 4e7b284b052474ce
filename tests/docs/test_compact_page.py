"""The page of the compact models says what its data say."""

from docs.build import compact_page, page_tables


def test_the_tables_of_the_page_are_those_of_the_data():
    page = compact_page.PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- table ") == len(compact_page.TABLES)
    assert page_tables.filled(page, compact_page.TABLES, compact_page.findings()) == page


def test_the_models_of_the_statistics_were_judged_by_as_many_cycles_as_they_were_fitted_to():
    models = compact_page.findings()["wire-statistics"]["models"]
    assert models[0]["model"] == "potentiation"
    for one in models:
        assert len(one["devices"]) == 5
        assert one["interval_over"] == "devices"
        assert one["held_out"]["cycles"] >= one["cycles_fitted"] >= 15
