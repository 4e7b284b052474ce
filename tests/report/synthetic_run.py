"""The numbers of a run that never was: three picoseconds, a first contact at 1.04 ps."""

import numpy as np
import xarray as xr

TIME = np.array([0.0, 500.0, 1000.0, 1040.0, 1080.0, 1120.0, 1500.0, 2000.0, 2500.0, 3000.0])
CONNECTED = TIME >= 1040.0


def observables(connected=CONNECTED, count=None):
    connected = np.asarray(connected)
    random = np.random.default_rng(5)
    n = len(TIME)
    data = {
        "time": TIME,
        "connected": connected,
        "minimax_gap": np.where(connected, 3.0, 5.4),
        "network_conductance": np.where(connected, 0.7, 0.0),
        "atoms_in_gap": np.arange(n),
        "adatoms_bottom": (np.arange(n) + 1) // 2,
        "adatoms_top": np.arange(n) // 2,
        "largest_island": (np.arange(n) + 1) // 2,
        "tip_distance": np.where(connected, 3.0, 5.8),
        "bridge_atoms": np.where(connected, np.arange(n), 0),
        "cross_section": np.where(connected, 7.7 * np.maximum(1, np.arange(n) - 4), 0.0),
        "bottleneck_coordination": np.where(connected, 4.5, 0.0),
        "constriction_height": np.linspace(-1.0, 1.0, n),
        "bottleneck_atoms": np.where(connected, np.maximum(1, np.arange(n) - 4), 0),
        "charge_bottom": -13.0 + random.random(n),
        "charge_top": 13.0 - random.random(n),
        "temperature": 800.0 + random.normal(size=n),
        "potential_energy": -1200.0 + random.normal(size=n),
    }
    dataset = xr.Dataset(
        {name: ("snapshot", values) for name, values in data.items()},
        coords={"snapshot": np.arange(n)},
    )
    return dataset.isel(snapshot=slice(0, count))


def transmission(values, energies=(0.0,), numbers=None):
    values = np.broadcast_to(np.asarray(values, dtype=float)[:, None], (len(values), len(energies)))
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values)},
        coords={
            "snapshot": np.arange(len(values)) if numbers is None else numbers,
            "energy": list(energies),
        },
        attrs={"backend": "tight-binding"},
    )


T = np.where(CONNECTED, 0.94, 0.003)
