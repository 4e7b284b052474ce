"""A cluster of this machine for tests: its jobs are processes, and one that is killed is silent."""

import subprocess
import sys
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread

from nanogap.campaign.cluster import job

#: Reports what the function that the node runs returns.
_NODE = (
    "import sys; from nanogap.campaign.cluster import job; print(job(sys.argv[2:], sys.argv[1]))"
)


class FakeEngine:
    """Submits jobs as executorlib does, but to processes of this machine.

    Parameters
    ----------
    failures : list of Exception
        What the first jobs end with instead of being run.
    """

    def __init__(self, failures=()):
        self.failures = list(failures)
        self.asked = []
        self.shut_down = False

    def __call__(self, cache):
        """Be the engine of an executor whose files lie in a folder."""
        assert cache.is_dir()
        return self

    def submit(self, function, command, log, /, *, resource_dict):
        assert function is job
        self.asked.append(resource_dict)
        future = Future()
        if self.failures:
            future.set_exception(self.failures.pop(0))
        else:
            Thread(target=_report, args=(future, command, log), daemon=True).start()
        return future

    def shutdown(self, wait, *, cancel_futures):
        assert not wait
        assert cancel_futures
        self.shut_down = True


def _report(future, command, log):
    done = subprocess.run(
        [sys.executable, "-c", _NODE, log, *command], check=False, capture_output=True, text=True
    )
    if not done.returncode:  # a job that is killed does not say so
        with suppress(Exception):  # given up meanwhile
            future.set_result(int(done.stdout))
