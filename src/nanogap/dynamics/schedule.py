"""Schedule of a simulation: updates of the potential, snapshots, checkpoints, its end."""

from collections.abc import Collection
from dataclasses import dataclass

from nanogap.settings import DynamicsSettings, VoltageSettings

#: Samples after which a fine sampling puts them away.
_BATCH = 20


class Schedule:
    """Steps of a simulation at which something happens, from the start of the equilibration.

    Parameters
    ----------
    dynamics : DynamicsSettings
    voltage : VoltageSettings
    """

    def __init__(self, dynamics: DynamicsSettings, voltage: VoltageSettings) -> None:
        def steps(time: float) -> int:
            return round(time / dynamics.time_step)

        self.equilibration = steps(dynamics.equilibration_time)
        self.sampling = max(1, steps(dynamics.sampling_interval))
        intervals = int(dynamics.production_time / dynamics.sampling_interval + 1e-9)
        self.end = self.equilibration + intervals * self.sampling
        dense = steps(dynamics.contact_sampling_interval)
        self.dense = min(max(1, dense), self.sampling) if dense else 0
        self.dense_duration = steps(dynamics.contact_sampling_time)
        self.history_duration = self.dense * dynamics.contact_history
        self.update = voltage.update_interval
        self.checkpoints = steps(dynamics.checkpoint_interval)
        stop = dynamics.stop_after_contact
        self.stop = max(1, steps(stop)) if stop else 0

    def last(self, contact: int | None) -> int:
        """Return the last step of the run, given the step of the first contact."""
        if contact is None or not self.stop:
            return self.end
        since = max(0, contact + self.stop - self.equilibration)
        return min(self.end, self.equilibration - -since // self.sampling * self.sampling)

    def begins_chunk(self, step: int) -> bool:
        """Whether a chunk begins at a step, with the load of a checkpoint."""
        if step < self.equilibration:
            return step == 0
        return (step - self.equilibration) % self.sampling == 0

    def chunk_end(self, step: int) -> int:
        """Return the step at which the chunk that `step` begins, or lies in, ends."""
        if step < self.equilibration:
            return self.equilibration
        return step + self.sampling - (step - self.equilibration) % self.sampling

    def pause(self, step: int) -> int:
        """Return the step at which the snapshots since `step` are to be put away."""
        return self.chunk_end(step)

    def updates(self, step: int) -> bool:
        """Whether the potential is brought up to date at an event."""
        del step
        return True

    def is_candidate(self, step: int) -> bool:
        """Whether the frame of a step is a candidate for a snapshot."""
        if step < self.equilibration:
            return False
        return self.begins_chunk(step) or self.is_dense(step)

    def is_recorded(self, step: int, contact: int | None) -> bool:
        """Whether a candidate becomes a snapshot, given the step of the first contact."""
        window = contact is not None and step - contact <= self.dense_duration
        return self.begins_chunk(step) or (window and bool(self.dense))

    def kept_checkpoints(self, steps: Collection[int], contact: int | None) -> set[int]:
        """Choose the checkpoints that stay when the last of `steps` has been written.

        Parameters
        ----------
        steps : collection of int
            At which there are checkpoints.
        contact : int or None
            Step of the first contact.

        Returns
        -------
        set of int
            The last one; and, unless ``dynamics.checkpoint_interval`` is 0, that at which the
            voltage comes on, the last one before the first contact, and one in every such
            interval of time.
        """
        kept = {max(steps)}
        if not self.checkpoints:
            return kept
        if contact is not None:
            kept |= {max((step for step in steps if step < contact), default=max(steps))}
        biased = sorted(step for step in steps if step >= self.equilibration)
        intervals: dict[int, int] = {}
        for step in biased:
            intervals.setdefault((step - self.equilibration) // self.checkpoints, step)
        return kept | set(intervals.values())

    def is_dense(self, step: int) -> bool:
        """Whether a dense sample may be taken at a step."""
        since = (step - self.equilibration) % self.sampling
        return bool(self.dense) and since % self.dense == 0

    def next_event(self, step: int, end: int) -> int:
        """Return the next step at which the potential is updated or a sample is taken."""
        origin = self.equilibration
        events = [end, step + self.update - (step - origin) % self.update]
        if self.dense and step >= origin:
            events.append(step + self.dense - ((step - origin) % self.sampling) % self.dense)
        return min(events)

    def planned(self, first_contact: int | None) -> int:
        """Return the number of snapshots of the whole run, as far as it is known."""
        end = self.last(first_contact)
        regular = (end - self.equilibration) // self.sampling + 1
        if first_contact is None or not self.dense:
            return regular
        last = min(first_contact + self.dense_duration, end)
        window = range(first_contact - self.history_duration, last + 1)
        # the chunk that the contact ends or lies in
        chunk_start = first_contact - 1 - (first_contact - 1 - self.equilibration) % self.sampling
        extra = [
            step
            for step in window
            if step > chunk_start
            and self.is_dense(step)
            and (step - self.equilibration) % self.sampling
        ]
        return regular + len(extra)


@dataclass(frozen=True)
class FineWindow:
    """Span of time to be sampled finely, and the rhythm of the run that it is a part of.

    Attributes
    ----------
    begin : float
        Time of the first sample since the voltage came on, fs.
    every : float
        Between two samples, fs.
    duration : float
        From the first to the last sample, fs.
    sampling_interval, contact_sampling_interval : float
        Settings of the run, which say where its chunks begin and when it updates the potential.
    """

    begin: float
    every: float
    duration: float
    sampling_interval: float
    contact_sampling_interval: float


class FineSchedule(Schedule):
    """Sample a span of a run finely, on the trajectory that the run itself took.

    Chunks begin, and the potential is updated, where they were in the run: the samples that it
    took itself come out the same to the bit.

    Parameters
    ----------
    dynamics : DynamicsSettings
    voltage : VoltageSettings
    window : FineWindow
    """

    def __init__(
        self, dynamics: DynamicsSettings, voltage: VoltageSettings, window: FineWindow
    ) -> None:
        rhythm = {
            "sampling_interval": window.sampling_interval,
            "contact_sampling_interval": window.contact_sampling_interval,
            "checkpoint_interval": 0.0,
            "stop_after_contact": 0.0,
        }
        super().__init__(dynamics.model_copy(update=rhythm), voltage)
        self.begin = self.equilibration + round(window.begin / dynamics.time_step)
        self.every = max(1, round(window.every / dynamics.time_step))
        count = int(window.duration / (self.every * dynamics.time_step) + 1e-9)
        self.end = self.begin + count * self.every
        self.history_duration = 0

    def chunk_end(self, step: int) -> int:
        """Return the step at which the chunk ends, or the last sample is taken."""
        return min(super().chunk_end(step), self.end)

    def pause(self, step: int) -> int:
        """Return the step at which the samples since `step` are to be put away."""
        batch = _BATCH * self.every
        through = self.begin + (max(step - self.begin, -1) // batch + 1) * batch
        return min(self.chunk_end(step), through)

    def next_event(self, step: int, end: int) -> int:
        """Return the next step at which the potential is updated or a sample is taken."""
        if step < self.begin:
            following = self.begin
        else:
            following = step + self.every - (step - self.begin) % self.every
        return min(super().next_event(step, end), following)

    def updates(self, step: int) -> bool:
        """Whether the run itself updated the potential at an event."""
        since = step - self.equilibration
        return since % self.update == 0 or super().is_candidate(step)

    def is_candidate(self, step: int) -> bool:
        """Whether a sample is taken at a step."""
        return step >= self.begin and (step - self.begin) % self.every == 0

    def is_recorded(self, step: int, contact: int | None) -> bool:
        """Record every sample."""
        del step, contact
        return True

    def planned(self, first_contact: int | None) -> int:
        """Return the number of samples."""
        del first_contact
        return (self.end - self.begin) // self.every + 1
