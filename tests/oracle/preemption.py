"""The world in which a subtask that goes before one in service takes its server.

Written after `docs/faults.md`, "Interrupted services". The rule in one sentence: at every moment the servers are at
those who are first in line, counting all that are there, with the work that is left of each. Whoever is there keeps the
place in line that he had when he came. What a crash ends is decided anew in the order in which it was begun, or gone on
with after an interruption; the page leaves that open.
"""

from __future__ import annotations

from .faults import OracleWithFaults
from .paths import carried_between
from .world import COMPLETION, Key


class OracleWithInterruptions(OracleWithFaults):
    """Records of services that may be interrupted say how much work is done, and for how long a server was at it."""

    interruptions = 0
    """How often a server was taken from a service."""

    def _interrupts(self, n: int) -> bool:
        """Whether services at the node may be interrupted."""
        server = self.nodes[n].server
        return server.kind == "slots" and getattr(server, "preemption", "none") == "resume"

    def _slots_next(self, n: int) -> None:
        if not self._interrupts(n):
            super()._slots_next(n)
            return
        here = [*self.in_service[n], *self.queue[n]]
        here.sort(key=lambda key: (self._rank(n, key), self.subtasks[key]["order"]))
        first = here[: self.nodes[n].server.slots]
        for key in [key for key in self.in_service[n] if key not in first]:
            self.interruptions += 1
            self._put_aside(n, key)
        for key in [key for key in first if key not in self.in_service[n]]:
            self._take_up(n, key)

    def _take_up(self, n: int, key: Key) -> None:
        record = self.subtasks[key]
        self.queue[n].remove(key)
        self.in_service[n].append(key)
        if "start_s" not in record:
            record.update(start_s=self.now, work_done=0.0, busy_s=0.0)
        record["resumed_s"] = self.now
        done = record["work_done"]
        first, last = self._alone(key)
        if done <= first:
            record["first_token_s"] = self._worked(n, self.now, first - done)
        self._later(self._worked(n, self.now, last - done), COMPLETION, n, self._served, n, key)

    def _put_aside(self, n: int, key: Key) -> None:
        """The subtask waits again, with the work that is left."""
        record = self.subtasks[key]
        self.in_service[n].remove(key)
        self.queue[n].append(key)
        self._forget(self._served, n, key)
        record["busy_s"] += self.now - record["resumed_s"]
        record["work_done"] += self._work_since(n, record["resumed_s"])

    def _work_since(self, n: int, begin: float) -> float:
        """Seconds of work at full pace that the node has done for one subtask since then."""
        return carried_between(self.paces[n], begin, self.now) if n in self.paces else self.now - begin

    def _bill(self, key: Key) -> None:
        record = self.subtasks[key]
        if not self._interrupts(record["node"]):
            super()._bill(key)
            return
        busy_s = record["busy_s"] + record["finish_s"] - record["resumed_s"]
        record["share_s"] = busy_s / self.nodes[record["node"]].server.slots
        self._charge(key, record["output"])

    def _out_of_service(self, n: int, key: Key) -> int:
        if not self._interrupts(n):
            return super()._out_of_service(n, key)
        record = self.subtasks[key]
        if key in self.in_service[n]:
            self._put_aside(n, key)
        self.queue[n].remove(key)
        record["share_s"] = record["busy_s"] / self.nodes[n].server.slots
        return sum(work <= record["work_done"] for work in self._token_works(key))
