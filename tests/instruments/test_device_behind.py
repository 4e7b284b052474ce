"""A simulated device behind a virtual unit: the very atoms of a direct measurement."""

import numpy as np
import pytest

from nanogap.device import Device
from nanogap.electrical import Staircase
from nanogap.instruments import make_unit
from nanogap.instruments.datasheet import data_sheet
from nanogap.settings.device import load_device_settings

SMALLEST = (
    "geometry.base_width=12", "geometry.height=7", "geometry.gap=5", "geometry.margin=3",
    "geometry.upper_apex_width=same", "geometry.fixed_layers=1", "conductance.cell_widths=[4]",
    "conductance.kpoints=1", "conductance.cache=none",
    "source.noise=0", "source.gain_error=0", "source.resolution=0",
)  # fmt: skip
STAIRS = Staircase(start=0.0, stop=3.0, steps=6, dwell=0.1, both_ways=True, compliance=1e-4)


def test_the_same_protocol_gives_the_same_device():
    device = Device(load_device_settings("device-quick", SMALLEST))
    direct = device.measure(STAIRS)
    unit = make_unit("keithley-2614b", "device-quick", seed=1, overrides=SMALLEST)
    unit.handle(b"smua.source.limiti = 1e-4 smua.source.output = 1")
    read = []
    for segment in STAIRS.segments():
        line = f"smua.source.levelv = {segment.start:.9f} delay(0.08) print(smua.measure.iv())"
        read.append([float(one) for one in unit.handle(line.encode()).split()])
    current, voltage = np.array(read).T
    behind = unit.bench.channels["smua"].load.device
    assert behind.engine.state.events == device.engine.state.events
    assert sum(device.engine.state.events.values()) > 0
    assert behind.time == pytest.approx(device.time)
    sheet = data_sheet("keithley-2614b")
    levels = [segment.start for segment in STAIRS.segments()]
    assert direct["compliance"].any()
    for quantity, values in (("voltage", voltage), ("current", current)):
        for value, true, level in zip(values, direct[quantity].to_numpy(), levels, strict=True):
            # the voltage that is set is read in the range of its source, at a limit too
            used = sheet.range_for(quantity, level if quantity == "voltage" else true)
            error = used.gain_error * abs(true) + used.offset_error + used.noise
            assert value == pytest.approx(true, abs=error + 1e-5 * abs(true))


def test_more_than_the_rates_hold_is_an_error_of_the_unit():
    unit = make_unit("keithley-2614b", "device-quick", seed=1, overrides=SMALLEST)
    unit.handle(b"smua.source.levelv = 25 smua.source.output = 1")
    fault = unit.errors.next()
    assert fault.code == 1101
    assert "source.voltage_limit" in fault.message
    assert not unit.bench.record.is_on
