"""Drive a campaign: the first member, what the rest will need, the question, the rest."""

from collections.abc import Callable
from dataclasses import dataclass

from nanogap.campaign.estimate import Estimate, estimate
from nanogap.campaign.executor import CampaignProgress, Lead, Watcher
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.local import LocalExecutor, fitting_workers
from nanogap.campaign.record import Entry

_GIGABYTE = 1e9

#: Memory that a member is taken to need before one has been measured, bytes.
_ASSUMED_MEMORY = 2e9


@dataclass(frozen=True)
class Outcome:
    """End of a drive: whether it was declined, and the needs that were told.

    Attributes
    ----------
    declined : bool
        Whether the question was answered with no.
    estimate : Estimate or None
        Needs of the members that were left when the question was asked.
    """

    declined: bool
    estimate: Estimate | None


def drive(
    folder: CampaignFolder,
    confirm: Callable[[Estimate], bool] | None = None,
    watch: Watcher = lambda _: None,
) -> Outcome:
    """Run all members that are left.

    Parameters
    ----------
    folder : CampaignFolder
    confirm : callable, optional
        Asked, with what the members that are left will need, before they are run. To know that,
        the first member is run alone if none is finished yet; its result stays. Without a
        question all members are run at once.
    watch : callable
        Called with a `CampaignProgress` several times a second.

    Raises
    ------
    NanogapError
        If the disk is full, the executor cannot be started, or no member at all succeeds.
    """
    with Lead(folder.driver_lock) as lead:
        return _drive(folder, confirm, watch, lead)


def _drive(
    folder: CampaignFolder,
    confirm: Callable[[Estimate], bool] | None,
    watch: Watcher,
    lead: Lead,
) -> Outcome:
    pending = folder.pending()
    while confirm is not None and pending and not folder.finished():
        _run(folder, pending[:1], (1, None), watch, lead)
        pending = folder.pending()
    if not pending:
        planned, finished = len(folder.entries), len(folder.finished())
        watch(CampaignProgress(planned, finished, 0, len(folder.given_up())))
        return Outcome(declined=False, estimate=None)
    workers, memory = _room(folder)
    needs = estimate(folder, workers)
    if needs is not None and confirm is not None and not confirm(needs):
        return Outcome(declined=True, estimate=needs)
    _run(folder, pending, (workers, memory), watch, lead)
    return Outcome(declined=False, estimate=needs)


def _room(folder: CampaignFolder) -> tuple[int, float]:
    """Return how many members run at a time, and the memory that one is taken to need, bytes."""
    options, seen = folder.file.executor, estimate(folder, 1)
    memory = _ASSUMED_MEMORY if seen is None else seen.memory
    if options.memory is not None:
        memory = options.memory * _GIGABYTE
    combinations = {str(entry.axes): entry for entry in folder.pending()}.values()
    cores = max((folder.cores(entry) for entry in combinations), default=1)
    return fitting_workers(options.workers, memory, cores), memory


def _run(
    folder: CampaignFolder,
    entries: list[Entry],
    room: tuple[int, float | None],
    watch: Watcher,
    lead: Lead,
) -> None:
    if folder.file.executor.kind == "local":
        LocalExecutor(folder, *room).run(entries, watch, lead)
        return
    from nanogap.campaign.cluster import ClusterExecutor  # noqa: PLC0415 only where it is asked for

    ClusterExecutor(folder).run(entries, watch, lead)
