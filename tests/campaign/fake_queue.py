"""A cluster of this machine for tests: its jobs are processes, and one that is killed is silent."""

import os
import subprocess
from threading import Thread

from nanogap.campaign.slurm import Job


class FakeQueue:
    """Takes jobs as SLURM does, but runs them as processes of this machine.

    Parameters
    ----------
    refusals : list of Exception
        What the first submissions end with instead of being accepted.
    slots : int, optional
        Jobs that run at a time; the others wait.
    """

    def __init__(self, refusals=(), slots=100):
        self.refusals = list(refusals)
        self.slots = slots
        self.asked = []  # options of every submission
        self.scripts = []
        self.states = {}  # of jobs that have not ended, by name
        self.cancelled = []

    def submit(self, script, folder, options, descriptors=()):
        assert all(os.fstat(descriptor) for descriptor in descriptors)
        if self.refusals:
            raise self.refusals.pop(0)
        asked = dict(option.removeprefix("--").split("=", 1) for option in options)
        self.asked.append(asked)
        self.scripts.append(script)
        self.states[asked["job-name"]] = "PENDING"
        self._fill(folder)
        return str(len(self.asked))

    def _fill(self, folder):
        for name, state in list(self.states.items()):
            running = list(self.states.values()).count("RUNNING")
            if state == "PENDING" and running < self.slots:
                self.states[name] = "RUNNING"
                Thread(target=self._run, args=(name, folder), daemon=True).start()

    def _run(self, name, folder):
        number = [asked["job-name"] for asked in self.asked].index(name)
        subprocess.run(
            ["/bin/sh", "-c", self.scripts[number]],
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        self.states.pop(name)

    def jobs(self, folder):
        self._fill(folder)
        return {name: Job("?", state) for name, state in self.states.items()}

    def cancel(self, identifiers):
        self.cancelled += identifiers
