import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import chain, slab_junction

from nanogap.printing import time_in_words
from nanogap.transport.espresso.pw import PlaneWaveSettings
from nanogap.transport.espresso.pwcond_cells import scattering_cells
from nanogap.transport.espresso.pwcond_cost import JobSize

VALIDATION = PlaneWaveSettings(20.0, 160.0)


def size(junction, plane_wave=VALIDATION, mesh_density=12.0):
    return JobSize.of(scattering_cells(junction, 3, 8.0), plane_wave, mesh_density)


def test_measured_times_are_met_to_a_factor_of_two_or_so():
    """One core, OpenBLAS: contacts of 25 and 42 atoms, 100 and 707 s for both densities."""
    contact = size(slab_junction(2, extra=[(0.0, 0.0, 0.0)], gap_layers=3, channel_layers=0))
    assert contact.atoms == 25
    assert 50.0 < contact.self_consistent_time < 200.0
    assert 15.0 < contact.pwcond_time(3, 1e-5) < 60.0  # 30 s
    wide = slab_junction(2, [(0.0, 0.0, 1.2), (1.0, 0.0, -1.2)], gap_layers=2, channel_layers=2)
    longer = JobSize.of(scattering_cells(wide, 5, 8.0), VALIDATION, 12.0)
    assert longer.atoms == 42
    assert 350.0 < longer.self_consistent_time < 1400.0
    wire = size(chain(2.65))
    assert wire.self_consistent_time < 20.0
    assert wire.pwcond_time(2, 1e-4) < 6.0


@given(width=st.integers(1, 3))
@settings(deadline=None, max_examples=6)
def test_more_takes_longer(width):
    small, large = (
        size(slab_junction(n, gap_layers=2, channel_layers=0)) for n in (width, width + 1)
    )
    assert small.self_consistent_time < large.self_consistent_time
    assert small.pwcond_time(3, 1e-5) < large.pwcond_time(3, 1e-5)
    assert small.pwcond_time(2, 1e-3) < small.pwcond_time(3, 1e-5)
    finer = size(
        slab_junction(width, gap_layers=2, channel_layers=0), PlaneWaveSettings(28.0, 280.0)
    )
    assert finer.pwcond_time(3, 1e-5) > small.pwcond_time(3, 1e-5)
    assert np.isfinite(finer.self_consistent_time)


@pytest.mark.parametrize(
    ("seconds", "words"), [(12.4, "12 s"), (89.0, "89 s"), (600.0, "10 min"), (32400.0, "9.0 h")]
)
def test_times_are_said_in_their_natural_unit(seconds, words):
    assert time_in_words(seconds) == words
