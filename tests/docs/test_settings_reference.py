from pathlib import Path

import pytest
from docs.build import settings_reference

from nanogap.settings import FirstPrinciplesSettings, Settings
from nanogap.settings.device import DeviceSettings
from nanogap.settings.faults import kinds_of
from nanogap.settings.wire import WireSettings

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_page_is_up_to_date():
    """Run `make docs` when this fails."""
    assert settings_reference.PAGE == ROOT / "docs" / "settings.md"
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference.page()


def fields(model):
    for name, field in model.model_fields.items():
        if settings_reference.is_section(field):
            yield from fields(field.annotation)
        elif kinds_of(field):
            for kind in kinds_of(field).values():
                yield from fields(kind)
        else:
            yield pytest.param(field, id=f"{model.__name__}.{name}")


@pytest.mark.parametrize(
    "field",
    [
        *fields(Settings),
        *fields(FirstPrinciplesSettings),
        *fields(DeviceSettings),
        *fields(WireSettings),
    ],
)
def test_every_setting_says_what_it_means_and_allows(field):
    assert field.description
    assert settings_reference.allowed_values(field)


def test_the_page_is_written_where_it_stands():
    assert ROOT / "docs" / "settings.md" == settings_reference.PAGE
