"""The input file as pydantic models, and presets as TOML files."""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use
from nanogap.settings.document import settings_document
from nanogap.settings.energies import parse_energies
from nanogap.settings.faults import fault_sentence, validated
from nanogap.settings.first_principles import (
    FirstPrinciplesSettings,
    accuracy_names,
    load_accuracy,
)
from nanogap.settings.folders import cache_folder
from nanogap.settings.load import (
    SettingsSource,
    load_settings,
    preset_names,
    preset_text,
    settings_from_table,
    settings_from_text,
    settings_text,
    toml_table,
)
from nanogap.settings.models import (
    DynamicsSettings,
    JunctionSettings,
    Settings,
    StructureSettings,
    TransportSettings,
    VoltageSettings,
)

if TYPE_CHECKING:
    from nanogap.settings.device import DeviceSettings, load_device_settings

__all__ = [
    "DeviceSettings",
    "DynamicsSettings",
    "FirstPrinciplesSettings",
    "JunctionSettings",
    "Settings",
    "SettingsSource",
    "StructureSettings",
    "TransportSettings",
    "VoltageSettings",
    "accuracy_names",
    "cache_folder",
    "fault_sentence",
    "load_accuracy",
    "load_device_settings",
    "load_settings",
    "parse_energies",
    "preset_names",
    "preset_text",
    "settings_document",
    "settings_from_table",
    "settings_from_text",
    "settings_text",
    "toml_table",
    "validated",
]

# what is of devices takes the protocols and their libraries
__getattr__ = on_first_use(
    __name__, {"nanogap.settings.device": ("DeviceSettings", "load_device_settings")}
)
