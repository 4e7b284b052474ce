"""The input file as pydantic models, and presets as TOML files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_OF_DEVICES = ("DeviceSettings", "load_device_settings")


def __getattr__(name: str) -> Any:
    """Load what is of devices when it is first used: it takes the protocols and their libraries."""
    if name in _OF_DEVICES:
        return getattr(import_module("nanogap.settings.device"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
