"""Extent: what the numbers of a well-formed scenario come to together, each of them being within its own limit.

How long a run would be, how often things would happen in it that come of themselves, how many changes of a channel
would have to be drawn in one go, how many sources of tasks there would be. All from mean values, before anything runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import units
from .distributions import Choice, Constant, Empirical, Exponential, Lognormal, Normal, Uniform
from .document import TreePath
from .faults import Faults, WrittenFaults
from .findings import Finding
from .limits import LONGEST_RUN_S, MOST_AHEAD, MOST_HAPPENINGS, MOST_SOURCES, MOST_TOKENS, SHORTEST_S
from .network import (
    Channel,
    ConstantChannel,
    GilbertElliottChannel,
    IndoorFactoryChannel,
    Link,
    LogAutoregressiveChannel,
    MarkovChannel,
    TraceChannel,
)
from .nodes import ApiServer, RandomSlowdown
from .scenario import Scenario
from .workload import (
    Arrivals,
    MmppArrivals,
    PeriodicArrivals,
    StageSpec,
    TraceArrivals,
    Workload,
    Written,
    WrittenSubtask,
)

Drawn = Constant[Any] | Uniform[Any] | Exponential[Any] | Lognormal[Any] | Normal[Any] | Choice[Any]
_STRETCH_S = 5.0
"""Between two looks at the stations where reports are always fresh."""


def extent_findings(scenario: Scenario) -> Iterator[Finding]:
    """What makes a well-formed scenario too large to run, and links that would never carry anything."""
    if 0 < scenario.telemetry_interval < SHORTEST_S:
        message = f"must be 0 or at least {_time(SHORTEST_S)}, not {_time(scenario.telemetry_interval)}"
        yield Finding(("telemetry_interval",), message)
        return
    sources = sum(_homes(scenario, number) for number in range(len(scenario.workloads)))
    if sources > MOST_SOURCES:
        message = f"{sources} sources of tasks, one for each workload at each of its homes; at most {MOST_SOURCES}"
        yield Finding(("workloads",), message, at_key=True)
    rate = _arrivals_per_s(scenario)
    yield from _prompts(scenario)
    yield from _phases(scenario)
    yield from _length(scenario, rate)
    yield from _paths(scenario, rate)


def links_of(scenario: Scenario) -> Iterator[tuple[TreePath, Link]]:
    """Every link that is written in a scenario, with its path."""
    for name, link in scenario.links.items():
        yield ("links", name), link
    for number, edge in enumerate(scenario.edges):
        for kind, port in (("uplink", edge.uplink), ("downlink", edge.downlink), ("lan", edge.lan)):
            if isinstance(port, Link):
                yield ("edges", number, kind), port


def prompts_of(workload: Workload) -> Iterator[tuple[TreePath, Drawn | Empirical | None]]:
    """Every law of tokens to be read that is written in a workload, with its path; None where one is left out."""
    for modality, read in workload.modalities.items():
        yield ("modalities", modality, "tokens"), read.tokens
    for path, spec in lengths_of(workload):
        yield (*path, "prompt"), spec.prompt


def lengths_of(workload: Workload) -> Iterator[tuple[TreePath, StageSpec | WrittenSubtask]]:
    """Whatever says in a workload how long prompts and outputs of subtasks are, with its path."""
    stages = workload.stages
    for name, stage in (("explain", stages.explain), ("analyze", stages.analyze), ("generate", stages.generate)):
        yield ("stages", name), stage
    if isinstance(workload.template, Written):
        for number, subtask in enumerate(workload.template.subtasks):
            yield ("template", "subtasks", number), subtask


def _homes(scenario: Scenario, number: int) -> int:
    homes = scenario.workloads[number].homes
    return len(scenario.edges) if homes == "all" else len(homes)


def _arrivals_per_s(scenario: Scenario) -> float | None:
    """Tasks a second in the long run, of all workloads; None where a trace has the answer."""
    rates = [_mean_rate(workload.arrivals) for workload in scenario.workloads]
    if any(rate is None for rate in rates):
        return None
    return math.fsum((rate or 0.0) * _homes(scenario, number) for number, rate in enumerate(rates))


def _mean_rate(arrivals: Arrivals) -> float | None:
    """Arrivals a second at one home."""
    if isinstance(arrivals, TraceArrivals):
        return None
    if isinstance(arrivals, PeriodicArrivals):
        return 1.0 / arrivals.period
    if isinstance(arrivals, MmppArrivals):
        pairs = zip(arrivals.rates, arrivals.mean_sojourn, strict=True)
        return math.fsum(rate * time for rate, time in pairs) / math.fsum(arrivals.mean_sojourn)
    return arrivals.rate


def _prompts(scenario: Scenario) -> Iterator[Finding]:
    for number, workload in enumerate(scenario.workloads):
        for path, tokens in prompts_of(workload):
            if tokens is not None and not isinstance(tokens, Empirical) and _large(tokens) > MOST_TOKENS:
                message = f"{_large(tokens):.3g} tokens are more than any model reads; at most {MOST_TOKENS}"
                yield Finding(("workloads", number, *path), message)


def _phases(scenario: Scenario) -> Iterator[Finding]:
    for number, workload in enumerate(scenario.workloads):
        arrivals, rate = workload.arrivals, _mean_rate(workload.arrivals)
        if isinstance(arrivals, MmppArrivals) and rate is not None:
            sojourn_s = math.fsum(arrivals.mean_sojourn) / len(arrivals.mean_sojourn)
            if MOST_AHEAD * rate * sojourn_s < 1:
                message = (
                    f"{1 / rate / sojourn_s:.3g} phases go by from one arrival to the next; at most {MOST_AHEAD:.0e}: "
                    "give longer sojourns or higher rates"
                )
                yield Finding(("workloads", number, "arrivals", "mean_sojourn"), message)


def _length(scenario: Scenario, rate: float | None) -> Iterator[Finding]:
    """A run that is too long, or in which too much happens."""
    tasks, length_s = scenario.horizon.tasks, scenario.horizon.time
    if tasks is not None:
        if rate is None:
            return
        length_s = tasks / rate if tasks < rate * LONGEST_RUN_S else math.inf
        if length_s == math.inf:
            message = f"{tasks} tasks at {rate:.3g} a second take more than {_time(LONGEST_RUN_S)}, the longest run"
            yield Finding(("horizon", "tasks"), message)
            return
        length_s = _with_faults_s(scenario, length_s)
    assert length_s is not None
    for path, period_s, what in _happenings(scenario):
        if length_s > MOST_HAPPENINGS * period_s:
            message = (
                f"{length_s / period_s:.3g} {what} in a run of {length_s:.3g} s; at most {MOST_HAPPENINGS:.0e}: "
                "let them come less often, or end the run sooner"
            )
            yield Finding(path, message)


def _with_faults_s(scenario: Scenario, length_s: float) -> float:
    """How long a run of so much time of arrivals takes, if the last of them meets the longest fault there is."""
    nodes = (*scenario.edges, *scenario.clouds)
    faults = [node.crashes for node in nodes] + [link.outages for _, link in links_of(scenario)]
    interfaces = [node.server for node in nodes if isinstance(node.server, ApiServer)]
    faults += [server.brownouts.times for server in interfaces if server.brownouts is not None]
    ends_s = [length_s]
    for each in faults:
        if isinstance(each, WrittenFaults):
            ends_s += [end_s for begin_s, end_s in each.spells if begin_s <= length_s]
        elif each is not None:
            ends_s.append(length_s + each.mean_down)
    return max(ends_s)


def _happenings(scenario: Scenario) -> Iterator[tuple[TreePath, float, str]]:
    """What comes of itself for as long as a run lasts: where it is said, once in which time, and what it is."""
    nodes = [(("edges", number), edge) for number, edge in enumerate(scenario.edges)]
    nodes += [(("clouds", number), cloud) for number, cloud in enumerate(scenario.clouds)]  # type: ignore[misc]
    interval_s = scenario.telemetry_interval or _STRETCH_S
    yield ("telemetry_interval",), interval_s / len(nodes), "reports of nodes"
    for path, node in nodes:
        if isinstance(node.slowdown, RandomSlowdown):
            yield (*path, "slowdown"), node.slowdown.mean_between + node.slowdown.mean_lasting, "spells"
        brownouts = node.server.brownouts if isinstance(node.server, ApiServer) else None
        if brownouts is not None:
            yield (*path, "server", "brownouts", "times"), 1 / _spells_per_s(brownouts.times), "spells"
        yield (*path, "crashes"), 1 / _spells_per_s(node.crashes), "spells"


def _spells_per_s(faults: Faults | None) -> float:
    """How often a fault comes in the long run; those of a timetable hardly count."""
    if faults is None or isinstance(faults, WrittenFaults):
        return 1 / LONGEST_RUN_S
    return 1 / (faults.mean_up + faults.mean_down)


def _paths(scenario: Scenario, rate: float | None) -> Iterator[Finding]:
    """Links whose rate changes too often for what is sent over them, and those that never carry anything."""
    gap_s = len(scenario.edges) / rate if rate else 0.0
    largest_bytes = _largest_bytes(scenario)
    looked_at: dict[str, str | None] = {}
    for path, link in links_of(scenario):
        key = repr((link.channel, link.outages))
        if key not in looked_at:
            looked_at[key] = _fault_of(link, gap_s, largest_bytes)
        message = looked_at[key]
        if message is not None:
            yield Finding((*path, "channel"), message)


def _fault_of(link: Link, gap_s: float, largest_bytes: float) -> str | None:
    """What is wrong with a link's channel; of one that is played back, what is wrong with its file is told there."""
    from ..traces.lines import TraceError

    try:
        mean_bps, changes_per_s = _path(link.channel)
    except TraceError:
        return None
    except ValueError as error:
        return None if isinstance(link.channel, TraceChannel) else str(error)
    outages = link.outages
    if outages is not None and not isinstance(outages, WrittenFaults):
        mean_bps *= outages.mean_up / (outages.mean_up + outages.mean_down)
        changes_per_s += 2 * _spells_per_s(outages)
    return _too_fast(changes_per_s, gap_s, 8 * largest_bytes / mean_bps)


def _too_fast(changes_per_s: float, gap_s: float, transfer_s: float) -> str | None:
    if transfer_s > LONGEST_RUN_S:
        return f"a large payload takes {transfer_s:.3g} s to go through on average; at most {_time(LONGEST_RUN_S)}"
    if changes_per_s * transfer_s > MOST_AHEAD:
        often = f"its rate changes {changes_per_s * transfer_s:.3g} times while a large payload goes through"
        return f"{often}, which takes {transfer_s:.3g} s on average; at most {MOST_AHEAD:.0e}"
    if changes_per_s * gap_s > MOST_AHEAD:
        often = f"its rate changes {changes_per_s * gap_s:.3g} times from one task of a node to the next"
        return f"{often}, {gap_s:.3g} s; at most {MOST_AHEAD:.0e}"
    return None


def _path(channel: Channel) -> tuple[float, float]:
    """Mean rate in bit/s and how often it changes in a second; ValueError where there is none but 0."""
    if isinstance(channel, ConstantChannel):
        return channel.rate, 0.0
    if isinstance(channel, GilbertElliottChannel):
        cycle_s = channel.mean_good + channel.mean_bad
        return (channel.good * channel.mean_good + channel.bad * channel.mean_bad) / cycle_s, 2 / cycle_s
    if isinstance(channel, LogAutoregressiveChannel):
        return channel.median * math.exp(channel.sigma**2 / 2), 1 / channel.step
    from ..random_streams import Streams
    from ..world.channels import make_channel

    mean_bps = make_channel(channel, Streams(0), "").mean_bps
    if isinstance(channel, IndoorFactoryChannel):
        return mean_bps, 1 / channel.block + 1 / channel.shadowing_time
    if isinstance(channel, MarkovChannel):
        return mean_bps, _jumps_per_s(channel)
    from ..traces import read_rates

    rates = read_rates(channel.file, channel.format, channel.column)
    return mean_bps, len(rates.ends_s) / rates.ends_s[-1]


def _jumps_per_s(channel: MarkovChannel) -> float:
    from ..world.channel_markov import stationary_law

    count = len(channel.rates)
    visited = [1 / count] * count if channel.transition is None else stationary_law(channel.transition)
    return 1 / math.fsum(share * time_s for share, time_s in zip(visited, channel.mean_sojourn, strict=True))


def _largest_bytes(scenario: Scenario) -> float:
    """A large payload, or an answer of full length where that is larger."""
    specs = [spec for workload in scenario.workloads for spec in workload.modalities.values()]
    answers = [scenario.bytes_per_token * workload.max_output for workload in scenario.workloads]
    return max(*answers, *(_large(spec.payload) for spec in specs))


def _large(law: Drawn) -> float:
    """The mean of a law that has no end, else its largest value."""
    if isinstance(law, Constant):
        return float(law.value)
    if isinstance(law, Uniform):
        return float(law.high)
    if isinstance(law, Choice):
        return float(max(law.values))
    return float(law.mean)


def _time(seconds: float) -> str:
    return units.write(seconds, units.TIME)
