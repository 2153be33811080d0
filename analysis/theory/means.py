"""The means that every closed form gives of a station in its steady state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Means:
    """Long-run means of a station; times in s and per customer that is let in, numbers averaged over time."""

    utilisation: float
    """Share of its servers in use; of a station that all share, of the time with anybody there."""
    wait_s: float
    """From entering to the beginning of service."""
    sojourn_s: float
    """From entering to the end of service."""
    queue_length: float
    """Customers that wait."""
    in_system: float
    """Customers that wait or are served."""


class Form(Protocol):
    """A closed form: whatever describes a station in its steady state."""

    @property
    def means(self) -> Means:
        """Its means."""


def by_little(arrival_rate: float, wait_s: float, service_s: float, servers: int = 1) -> Means:
    """The means that follow from a mean wait by Little's law (1961); the arrival rate is of customers let in, 1/s."""
    sojourn_s = wait_s + service_s
    return Means(
        utilisation=arrival_rate * service_s / servers,
        wait_s=wait_s,
        sojourn_s=sojourn_s,
        queue_length=arrival_rate * wait_s,
        in_system=arrival_rate * sojourn_s,
    )
