"""The settings of the circuit around a device, and of its source-measure unit; SI units."""

from typing import Annotated, Literal

from numpy.random import SeedSequence
from pydantic import Field

from nanogap.electrical.circuit import SeriesCircuit
from nanogap.electrical.instrument import Instrument
from nanogap.electrical.sampling import Meter, aperture
from nanogap.settings.models import _Model


class CircuitSettings(_Model):
    """Resistances in series with the gap, and the capacitance beside it."""

    interface: float = Field(
        150.0, ge=0.0, le=1.0e9, description="R*: contact to the pristine wire, each, ohm"
    )
    wire: float = Field(200.0, gt=0.0, le=1.0e9, description="R_NW: of the whole wire, ohm")
    contact: Annotated[float, Field(ge=0.0, le=1.0e9)] | Literal["interface"] = Field(
        "interface",
        description="R_C: each contact after breakdown, ohm; 'interface': as before it",
    )
    capacitance: float = Field(
        1.0e-10,
        ge=0.0,
        le=1.0e-3,
        description="beside the gap: cables and pads, F; its charge flows through the gap when "
        "that closes",
    )

    @property
    def series(self) -> SeriesCircuit:
        """Resistances in series with the gap."""
        contact = None if self.contact == "interface" else self.contact
        return SeriesCircuit(self.interface, self.wire, contact)


class SourceSettings(_Model):
    """Source-measure unit: limits, speed, averaging and noise."""

    voltage_limit: float = Field(20.0, gt=0.0, le=1.0e4, description="of the unit itself, V")
    current_limit: float = Field(0.1, gt=0.0, le=100.0, description="of the unit itself, A")
    bandwidth: float = Field(
        1.0e4, gt=0.0, le=1.0e12, description="of its control loops, compliance included, Hz"
    )
    power_line_cycles: float = Field(
        1.0, gt=0.0, le=1000.0, description="averaging time of a reading in periods of the mains"
    )
    line_frequency: float = Field(50.0, ge=10.0, le=1000.0, description="of the mains, Hz")
    lowest_current_range: float = Field(
        1.0e-7, gt=0.0, le=1.0, description="lowest range of currents, A; others are decades above"
    )
    lowest_voltage_range: float = Field(
        0.1, gt=0.0, le=100.0, description="lowest range of voltages, V; others are decades above"
    )
    noise: float = Field(
        3.0e-5, ge=0.0, lt=1.0, description="standard deviation of a reading, share of its range"
    )
    flicker: float = Field(
        0.0, ge=0.0, lt=1.0, description="that of the 1/f noise, share of the range; 0: none"
    )
    gain_error: float = Field(
        2.0e-4, ge=0.0, lt=1.0, description="standard deviation of the gain from range to range"
    )
    spike: float = Field(
        0.0, ge=0.0, lt=1.0, description="disturbance at a change of range, share of the reading"
    )
    resolution: float = Field(
        1.0e-6, ge=0.0, lt=1.0, description="step of the digits, share of the range; 0: none"
    )

    @property
    def aperture(self) -> float:
        """Averaging time of a reading, s."""
        return aperture(self.power_line_cycles, self.line_frequency)

    def make_meter(
        self, quantity: Literal["voltage", "current"], seed: int | SeedSequence
    ) -> Meter:
        """Make the meter of one quantity.

        Parameters
        ----------
        quantity : {'voltage', 'current'}
        seed : int or SeedSequence
        """
        voltage = quantity == "voltage"
        instrument = Instrument(
            noise=self.noise,
            gain_error=self.gain_error,
            spike=self.spike,
            lowest_range=self.lowest_voltage_range if voltage else self.lowest_current_range,
            resolution=self.resolution,
        )
        return Meter(instrument, seed, self.flicker)
