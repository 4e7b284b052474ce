"""A measurement in a process of its own, to be killed."""

import os
import signal
import warnings

from nanogap.cli.stopping import first_interrupt
from nanogap.instruments import parse_address
from nanogap.instruments.measuring import MeasurementRun
from nanogap.settings.device import load_device_settings


def measure_into(folder, address, overrides):
    """Measure as the command does, as the leader of a group of processes."""
    os.setpgid(0, 0)
    # a suite in the background of a shell has it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.simplefilter("ignore")
    settings = load_device_settings({}, overrides)
    with first_interrupt():
        MeasurementRun(folder, settings, "test", parse_address(address)).run(lambda _: None)
