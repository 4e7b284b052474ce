"""Functions that Python calls, compiled once and stored.

numba looks for changes only in the file of a stored function, not in what that calls. So these are
made by functions of a digest of all sources of the kernels, which becomes part of numba's key.
"""

from collections.abc import Callable
from typing import Any

from numba import njit

from nanogap.device.kernels import energy, factors, labels, loop, masks
from nanogap.device.kernels import refresh as refreshing
from nanogap.device.kernels.arrays import Counts, Sites, Tables, Tree, Work
from nanogap.digest import source_digest

_SOURCES = int(source_digest("nanogap.device.kernels")[:15], 16)


def _made_rebuild(sources: int) -> Callable[..., Any]:
    """Compile `rebuild`."""

    @njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def rebuild(sites: Sites, tables: Tables, tree: Tree, work: Work, counts: Counts) -> int:
        """Make counts, energies, labels and rates anew from the occupation."""
        masks.mask_all(sites.around, sites.grid, sites.masks)
        energy.count_all(sites.around, sites.grid, tables.levels)
        labels.label_all(sites.around, sites.grid, sites.flags, work.queue, counts.numbers)
        refreshing.refresh_all(sites, tables, tree, work)
        return sources

    return rebuild  # type: ignore[no-any-return]


def _made_factors(sources: int) -> Callable[..., Any]:
    """Compile `fill_factors`."""

    @njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def fill_factors(sites: Sites, tables: Tables, beta: float) -> int:
        """Make the factors that the potentials give anew; 1/kT in 1/eV."""
        factors.fill_factors(sites.fields, tables.numbers, beta)
        return sources

    return fill_factors  # type: ignore[no-any-return]


def _made_charged(sources: int) -> Callable[..., Any]:
    """Compile `refresh_charged`."""

    @njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def refresh_charged(sites: Sites, tables: Tables, tree: Tree, work: Work) -> int:
        """Make the rates that the potentials enter anew."""
        refreshing.refresh_charged(sites, tables, tree, work)
        return sources

    return refresh_charged  # type: ignore[no-any-return]


def _made_run(sources: int) -> Callable[..., Any]:
    """Compile `run`."""

    @njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def run(  # type: ignore[no-untyped-def]  # noqa: ANN202
        sites: Sites,
        tables: Tables,
        tree: Tree,
        work: Work,
        counts: Counts,
        elapsed: float,
        window: float,
        most_events: int,
        stop_on_contact: bool,
        watched: int,
    ):
        """Run events; see `nanogap.device.kernels.loop.run`."""
        if sources < 0:
            return 0.0, 0, 0
        return loop.run(
            sites,
            tables,
            tree,
            work,
            counts,
            elapsed,
            window,
            most_events,
            stop_on_contact,
            watched,
        )

    return run  # type: ignore[no-any-return]


def _made_rates(sources: int) -> Callable[..., Any]:
    """Compile `rates_of_site`."""

    @njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def rates_of_site(sites: Sites, tables: Tables, site: int, rates) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Fill in the rates of a site; see `nanogap.device.kernels.refresh.rates_of_site`."""
        if sources < 0:
            return 0.0
        return refreshing.rates_of_site(sites, tables, site, rates)

    return rates_of_site  # type: ignore[no-any-return]


rebuild = _made_rebuild(_SOURCES)
fill_factors = _made_factors(_SOURCES)
refresh_charged = _made_charged(_SOURCES)
run = _made_run(_SOURCES)
rates_of_site = _made_rates(_SOURCES)
