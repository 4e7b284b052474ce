"""Drive a campaign: the first member, what the rest will need, the question, the rest."""

from collections.abc import Callable
from dataclasses import dataclass

from nanogap.campaign.estimate import Estimate, estimate
from nanogap.campaign.executor import Tally, Watcher
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.local import LocalExecutor, fitting_workers
from nanogap.errors import NanogapError

_GIGABYTE = 1e9

#: Members that are tried before a campaign of which none succeeds is given up.
_TRIED = 3


@dataclass(frozen=True)
class Outcome:
    """How driving a campaign ended.

    Attributes
    ----------
    declined : bool
        Whether the question was answered with no.
    estimate : Estimate or None
        What was asked about.
    """

    declined: bool
    estimate: Estimate | None


def drive(
    folder: CampaignFolder,
    confirm: Callable[[Estimate], bool],
    watch: Watcher = lambda _: None,
) -> Outcome:
    """Run all members that are left.

    If no member is finished yet, the first one is run alone: what it needed is the estimate that
    the question is about, and its result stays.

    Parameters
    ----------
    folder : CampaignFolder
    confirm : callable
        Asked with the estimate before more than one member is run.
    watch : callable
        Called with a `Tally` several times a second.

    Raises
    ------
    NanogapError
        If the disk is full, the executor cannot be started, or no member at all succeeds.
    """
    asked, gigabytes = folder.file.executor.workers, folder.file.executor.memory
    for entry in folder.pending()[:_TRIED]:
        if not folder.finished():
            _run(folder, [entry], 1, None, watch)
    pending = folder.pending()
    if not folder.finished():
        reasons = list(dict.fromkeys(folder.given_up().values()))
        raise NanogapError(
            f"no member succeeded, and the rest of {folder.path} is not tried: {'; '.join(reasons)}"
        )
    memory = None if gigabytes is None else gigabytes * _GIGABYTE
    needs = estimate(folder, fitting_workers(asked, memory))
    if needs is not None:
        memory = memory or needs.memory
        needs = estimate(folder, fitting_workers(asked, memory))
    if not pending:
        watch(Tally(len(folder.entries), len(folder.finished()), 0, len(folder.given_up())))
        return Outcome(declined=False, estimate=None)
    if needs is not None and not confirm(needs):
        return Outcome(declined=True, estimate=needs)
    _run(folder, pending, fitting_workers(asked, memory), memory, watch)
    return Outcome(declined=False, estimate=needs)


def _run(
    folder: CampaignFolder,
    entries: list[Entry],
    workers: int,
    memory: float | None,
    watch: Watcher,
) -> None:
    if folder.file.executor.kind == "local":
        LocalExecutor(folder, workers, memory).run(entries, watch)
        return
    from nanogap.campaign.cluster import ClusterExecutor  # noqa: PLC0415 an extra

    ClusterExecutor(folder, workers).run(entries, watch)
