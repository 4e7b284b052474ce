"""Devices that are compact models themselves, with known spreads: measurements with answers."""

import numpy as np
from validation.compact_recovery import RESISTANCE, SPREADS

from nanogap.io import measurement_dataset, write_dataset


def measure(folder, device, *, devices=3, cycles=4, points=161, seed=0, noise=0.01):
    """Write a file per device of voltage loops with a spread; returns their folder."""
    random = np.random.default_rng(seed)
    spread = np.array(SPREADS[device.model])
    time = np.linspace(0.0, 60.0, points)
    volts = 1.6 * np.interp(time, [0, 15, 30, 45, 60], [0, 1, 0, -1, 0])
    folder.mkdir(exist_ok=True)
    for number in range(devices):
        own = device.places() + spread * random.normal(size=len(spread))
        currents = []
        for _ in range(cycles):
            one = device.moved(own + spread * random.normal(size=len(spread)))
            through = one.simulate(time, volts, resistance=RESISTANCE).current
            read = through * (1.0 + noise * random.normal(size=points))
            currents.append(read + 1e-10 * random.normal(size=points))
        dataset = measurement_dataset(
            time=np.concatenate([time + 61.0 * cycle for cycle in range(cycles)]),
            voltage=np.tile(volts, cycles),
            current=np.concatenate(currents),
            cycle=np.repeat(np.arange(cycles), points),
            compliance=np.zeros(points * cycles, dtype=bool),
            name=f"loops_nw{number}.nc",
            device=f"nw{number}",
            attrs={"synthetic": "yes - a compact model"},
        )
        write_dataset(dataset, folder / f"loops_nw{number}.nc")
    return folder
