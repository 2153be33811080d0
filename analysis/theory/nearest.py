"""The closed form that is nearest to a station, and what it assumes that does not hold there.

What is nearest: the form with the same number of servers that has the station's arrivals (Poisson or not), services
(exponential, constant, or any), order and pace. Where nothing fits, an approximation by coefficients of variation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from .arguments import UnstableError
from .gig1 import GIG1, GIGc
from .load_dependent import LoadDependent, MGInfinity
from .markovian import MMc
from .means import Form, Means
from .mg1 import MD1, MG1
from .modulated import ModulatedMM1, state_shares
from .priority import NonPreemptive, PreemptiveResume, PriorityClass
from .remarks import Remark
from .service import ServiceLaw, scaled

_THIRD = 20.0
"""A third moment is known so many times less sharply than a CV."""
_USED = 0.01
"""Load."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A pace that changes at random: in each state a factor on the speed of service, and rates of change, 1/s."""

    factors: tuple[float, ...]
    changes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a station is offered, as far as queueing theory asks; rates in 1/s."""

    station: str
    arrival_rate: float
    arrival_cv: float
    """Of the times between arrivals, 1 for Poisson; nan where it is not known, and Poisson is what is tried."""
    service: ServiceLaw
    """At full pace where that changes at random."""
    servers: int
    """0: no limit."""
    classes: tuple[PriorityClass, ...] = ()
    """Where some always go before others: who, first ones first."""
    class_names: tuple[str, ...] = ()
    interrupts: bool = False
    """Whether some interrupt others, who go on later where they were."""
    pace: Pace | None = None
    end_rates: tuple[float, ...] = ()
    """Where all that are in service share the station: rate of ends with 1, 2, ... there."""
    tolerance: float = 1e-6
    """How far a CV may be from 0 or 1 and be taken for it."""
    remarks: tuple[Remark, ...] = ()
    """What else it has that no closed form knows of."""

    @property
    def is_poisson(self) -> bool:
        """Whether arrivals are Poisson, or may be taken for it."""
        return math.isnan(self.arrival_cv) or abs(self.arrival_cv - 1) <= self.tolerance

    @property
    def is_exponential(self) -> bool:
        """Whether services vary as exponential ones do, by their second moment and, as far as known, their third."""
        skewed = abs(self.service.third_s3 / (6 * self.service.mean_s**3) - 1) > _THIRD * self.tolerance
        return abs(math.sqrt(self.service.squared_cv) - 1) <= self.tolerance and not skewed

    @property
    def is_constant(self) -> bool:
        """Whether services are all the same."""
        return math.sqrt(self.service.squared_cv) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Verdict:
    """A station, the nearest form and what it says of it."""

    offered: Offered
    name: str
    """Of the form, such as M/M/1."""
    load: float
    """Work that comes over what can be done; at 1 or more there is no steady state."""
    form: Form | None
    """None without a steady state."""
    remarks: tuple[Remark, ...]
    """What the form assumes that does not hold; empty where all of it does."""

    @property
    def is_used(self) -> bool:
        """Whether so much comes that it is worth a word."""
        return self.load >= _USED or not self.offered.servers

    @property
    def means(self) -> Means | None:
        """What the form gives."""
        return None if self.form is None else self.form.means

    @property
    def means_by_class(self) -> Mapping[str, Means]:
        """By name of the class, where the form tells classes apart."""
        if not isinstance(self.form, (NonPreemptive, PreemptiveResume)):
            return {}
        return dict(zip(self.offered.class_names, self.form.means_by_class, strict=True))


def nearest(offered: Offered) -> Verdict:
    """The nearest form of a station."""
    form = None
    with suppress(UnstableError):
        form = _form(offered)
    return Verdict(offered, _name(offered), _load(offered), form, (*_remarks(offered), *offered.remarks))


def _load(offered: Offered) -> float:
    if offered.end_rates:
        return offered.arrival_rate / offered.end_rates[-1]
    if not offered.servers:
        return 0.0
    work = offered.arrival_rate * offered.service.mean_s / offered.servers
    return work / mean_factor(offered.pace) if offered.pace is not None else work


def mean_factor(pace: Pace) -> float:
    """The mean pace in the long run."""
    return float(state_shares(pace.changes) @ pace.factors)


def _tells_classes_apart(offered: Offered) -> bool:
    """Whether the form is one of priorities: at one server of a steady pace with Poisson arrivals."""
    is_plain = offered.pace is None and not offered.end_rates
    return bool(offered.classes) and offered.servers == 1 and is_plain and offered.is_poisson


def _name(offered: Offered) -> str:
    servers = offered.servers
    if offered.end_rates:
        return f"M/M/1, batch of {len(offered.end_rates)}"
    if not servers:
        return "M/G/∞"
    if offered.pace is not None and servers == 1:
        return "M/M/1, pace changes"
    arrivals = "M" if offered.is_poisson else "GI"
    services = "M" if offered.is_exponential else "D" if offered.is_constant else "G"
    if _tells_classes_apart(offered):
        return f"M/{services}/1, {'preemptive ' if offered.interrupts else ''}priorities"
    if arrivals == "GI":
        return f"GI/G/{servers}, approximate"
    if servers > 1 and services != "M":
        return f"M/{services}/{servers}, approximate"
    return f"M/{services}/{servers}"


def _form(offered: Offered) -> Form:
    rate, service, servers = offered.arrival_rate, offered.service, offered.servers
    if offered.end_rates:
        return LoadDependent(rate, offered.end_rates)
    if offered.pace is not None and servers == 1:
        rates = tuple(factor / service.mean_s for factor in offered.pace.factors)
        return ModulatedMM1(rate, rates, offered.pace.changes)
    if offered.pace is not None:
        service = scaled(service, 1 / mean_factor(offered.pace))
    if not servers:
        return MGInfinity(rate, service.mean_s)
    if _tells_classes_apart(offered):
        return PreemptiveResume(offered.classes) if offered.interrupts else NonPreemptive(offered.classes)
    if offered.is_poisson and offered.is_exponential:
        return MMc(rate, 1 / service.mean_s, servers)
    if offered.is_poisson and servers == 1:
        return MD1(rate, service.mean_s) if offered.is_constant else MG1(rate, service)
    arrival_cv = 1.0 if offered.is_poisson else offered.arrival_cv
    service_cv = math.sqrt(service.squared_cv)
    if servers == 1:
        return GIG1(rate, arrival_cv, service.mean_s, service_cv)
    return GIGc(rate, arrival_cv, service.mean_s, service_cv, servers)


def _remarks(offered: Offered) -> Iterator[Remark]:
    """What the form of `_form` assumes of arrivals, services and order that does not hold."""
    modulated = offered.pace is not None and offered.servers == 1
    markovian = modulated or bool(offered.end_rates)
    if not offered.is_poisson:
        told = "arrivals are not Poisson, the times between them have a CV of {}, not 1"
        takes = "; the form takes them for Poisson" if markovian or not offered.servers else ""
        yield Remark(told + takes, offered.arrival_cv)
    if markovian and not offered.is_exponential:
        service_cv = math.sqrt(offered.service.squared_cv)
        yield Remark("services are not exponential, as the form has them, but have a CV of {}", service_cv)
    if offered.pace is not None and not modulated:
        yield Remark("the pace of service changes at random; the form has its mean")
    if offered.classes and not _tells_classes_apart(offered):
        yield Remark("some classes go before others; the form has one queue in order of arrival")
    if offered.interrupts and not _tells_classes_apart(offered):
        yield Remark("more urgent subtasks interrupt services; in the form a service that has begun goes on to its end")
