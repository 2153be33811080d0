"""Hypothesis strategies for small, valid scenarios, as the dictionaries a scenario file holds.

Inside, quantities are plain numbers in SI units; `with_units` gives them their units at the end. Every scenario brings
its own catalogue and a serving law for every model it hosts. Each service has a continuous random part (the demand), so
that independent happenings do not fall in one instant.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

MODALITIES = ("text", "image", "audio", "sensor")
MAX_OUTPUT = 40
MAX_PROMPT = 120
MAX_PAYLOAD_TOKENS = 60
MOST_PREDECESSORS = 8
LARGEST_PROMPT = MAX_PROMPT + len(MODALITIES) * MAX_PAYLOAD_TOKENS + MOST_PREDECESSORS * MAX_OUTPUT

MODELS: dict[str, dict[str, Any]] = {
    "generalist": {
        "parameters": 7e10,
        "weights": 40e9,
        "modalities": list(MODALITIES),
        "kv_per_token": 3e5,
        "encoder": {"image": 0.05, "audio": 0.03, "sensor": 0.01},
    },
    "text": {"parameters": 3e9, "weights": 3e9, "modalities": ["text"], "kv_per_token": 3e4},
    "image": {
        "parameters": 4e9,
        "weights": 5e9,
        "modalities": ["text", "image"],
        "kv_per_token": 4e4,
        "encoder": {"image": 0.12},
    },
    "audio": {
        "parameters": 2e9,
        "weights": 4e9,
        "modalities": ["audio", "text"],
        "kv_per_token": 3e4,
        "encoder": {"audio": 0.08},
    },
    "sensor": {"parameters": 1e9, "weights": 2e9, "modalities": ["sensor"], "kv_per_token": 2e4},
}


UNITS = {
    "memory": "B", "weights": "B", "payload": "B", "bandwidth": "B/s", "load_rate": "B/s", "compute": "FLOP/s",
    "kv_per_token": "B/tok", "bytes_per_token": "B/tok", "prefill": "tok/s", "decode": "s/tok",
    "decode_per_sequence": "s/tok", "energy_per_token": "J/tok", "energy_per_iteration": "J/tok",
    "prefill_overhead": "s", "encoder": "s", "load_overhead": "s", "overhead_median": "s", "delay": "s",
    "mean_good": "s", "mean_bad": "s", "mean_sojourn": "s", "step": "s", "block": "s", "shadowing_time": "s",
    "demand": "s", "deadline": "s", "period": "s", "jitter": "s", "phase": "s", "time": "s", "warm_up": "s",
    "telemetry_interval": "s", "latency_reference": "s", "cost_reference": "USD", "busy_power": "W", "idle_power": "W",
    "tariff": "USD/J", "amortisation": "USD/s", "request_rate": "/s", "rate": "/s", "phase_rates": "/s",
    "channel": "bit/s", "good": "bit/s", "bad": "bit/s", "rates": "bit/s", "median": "bit/s", "distance": "m",
    "mean_between": "s", "mean_lasting": "s", "spells": "s", "mean_up": "s", "mean_down": "s", "timeout": "s",
    "first": "s", "most": "s",
    "prompt": "tok", "output": "tok", "tokens": "tok", "kv_tokens": "tok", "chunk": "tok",
    "price_in": "USD/tok", "price_out": "USD/tok",
}  # fmt: skip
PARTS_OF_A_DISTRIBUTION = ("value", "mean", "sd", "low", "high", "min", "max", "values", *MODALITIES)
SPELT = {"phase_rates": "rates", "price_in": "input", "price_out": "output"}


def with_units(value: Any, unit: str | None = None) -> Any:
    """The same nested dictionaries with each number that is a quantity written as text with its SI unit."""
    if isinstance(value, dict):
        inner = {}
        for key, part in value.items():
            own = unit if key in PARTS_OF_A_DISTRIBUTION else UNITS.get(key)
            shares = key == "weights" and isinstance(part, list)
            inner[SPELT.get(key, key)] = with_units(part, None if shares else own)
        return inner
    if isinstance(value, list):
        return [with_units(part, unit) for part in value]
    if unit is None or value is None or isinstance(value, (bool, str)):
        return value
    return f"{value!r} {unit}"


@cache
def amount(low: float, high: float) -> st.SearchStrategy[float]:
    """A number with few digits between `low` and `high`."""
    return st.integers(0, 1000).map(lambda k: float(f"{low + (high - low) * k / 1000:.4g}"))


@st.composite
def laws(draw: st.DrawFn) -> dict[str, Any]:
    """A serving law; energies are given in one of two cases."""
    law = {
        "prefill_overhead": draw(st.sampled_from([0.0, 0.01, 0.04])),
        "prefill": draw(amount(300, 6000)),
        "decode": draw(amount(0.002, 0.03)),
        "decode_per_sequence": draw(st.sampled_from([0.0, 0.0004, 0.002])),
        "decode_per_context": draw(st.sampled_from([0.0, 1e-6, 2e-5])),
    }
    if draw(st.booleans()):
        law |= {"energy_per_token": draw(amount(0.05, 2)), "energy_per_iteration": draw(amount(0, 20))}
    return law


@cache
def channels() -> st.SearchStrategy[Any]:
    """Every kind of channel that needs no file."""
    return st.one_of(
        amount(2e5, 2e7),
        st.fixed_dictionaries(
            {
                "kind": st.just("gilbert-elliott"),
                "good": amount(1e6, 2e7),
                "bad": st.sampled_from([0.0, 5e4, 5e5]),
                "mean_good": amount(0.3, 10),
                "mean_bad": amount(0.1, 2),
            }
        ),
        st.sampled_from(
            [
                {"kind": "markov", "rates": [1e6, 0.0, 8e6], "mean_sojourn": [1.0, 0.3, 0.7]},
                {
                    "kind": "markov",
                    "rates": [4e5, 3e6, 2e7],
                    "mean_sojourn": [0.5, 2.0, 0.4],
                    "transition": [[0, 1, 0], [0.25, 0, 0.75], [0, 1, 0]],
                },
            ]
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("ar1"),
                "median": amount(5e5, 1e7),
                "sigma": amount(0, 1.2),
                "rho": st.sampled_from([0.0, 0.6, 0.95]),
                "step": st.sampled_from([0.05, 0.5, 2.0]),
            }
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("inf"),
                "environment": st.sampled_from(["SL", "DL", "SH", "DH", "HH"]),
                "distance": amount(5, 120),
                "block": st.sampled_from([0.05, 0.1]),
                "shadowing_time": st.sampled_from([0.5, 5.0]),
            }
        ),
    )


@cache
def links(*, max_copies: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "channel": channels(),
            "delay": st.sampled_from([0.0, 0.004, 0.03]),
            "discipline": st.sampled_from(["agent", "agent", "fifo"]),
            "copies": st.integers(1, max_copies),
        }
    )


@st.composite
def _slots(draw: st.DrawFn, most: int) -> dict[str, Any]:
    return {"kind": "slots", "slots": draw(st.integers(1, most))}


@st.composite
def _batching(draw: st.DrawFn) -> dict[str, Any]:
    server: dict[str, Any] = {
        "kind": "batching",
        "max_batch": draw(st.integers(1, 6)),
    }
    if draw(st.integers(0, 3)) > 0:
        server["kv_tokens"] = round((LARGEST_PROMPT + MAX_OUTPUT) * draw(st.sampled_from([1.0, 1.3, 3.0])))
    if draw(st.booleans()):
        server["chunk"] = draw(st.sampled_from([16, 50, 512]))
    return server


@st.composite
def _api(draw: st.DrawFn) -> dict[str, Any]:
    server: dict[str, Any] = {
        "kind": "api",
        "overhead_median": draw(amount(0.05, 1)),
        "overhead_sigma": draw(amount(0, 1)),
    }
    if draw(st.booleans()):
        server["streams"] = draw(st.integers(1, 3))
    if draw(st.booleans()):
        server["request_rate"] = draw(amount(0.5, 20))
    return server


@cache
def servers(*, most_slots: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(_slots(most_slots), _batching(), _api())


@cache
def slowdowns() -> st.SearchStrategy[dict[str, Any] | None]:
    """None in half the cases, else spells by chance or by a timetable."""
    factor = st.sampled_from([1.5, 4.0])
    by_chance = st.fixed_dictionaries(
        {"kind": st.just("random"), "factor": factor, "mean_between": amount(0.5, 10), "mean_lasting": amount(0.2, 5)}
    )
    spells = st.sampled_from([[[0.0, 1.7]], [[1.3, 4.1], [4.1, 9.7]], [[0.9, 1e4]]])
    written = st.fixed_dictionaries({"kind": st.just("timetable"), "factor": factor, "spells": spells})
    return st.one_of(st.none(), st.none(), by_chance, written)


@cache
def faults(*, up: float = 8.0, down: float = 1.5) -> st.SearchStrategy[dict[str, Any] | None]:
    """None in two cases of five, else faults of each kind, seconds apart."""
    means = {"mean_up": amount(0.3, up), "mean_down": amount(0.05, down)}
    by_chance = st.fixed_dictionaries({"kind": st.just("exponential"), **means})
    shapes = {"shape": st.sampled_from([0.5, 3.0]), "down_shape": st.sampled_from([0.7, 1.0])}
    weibull = st.fixed_dictionaries({"kind": st.just("weibull"), **means, **shapes})
    spells = st.sampled_from([[[0.0, 1.3]], [[0.7, 2.1], [2.1, 2.9], [6.1, 9.3]], [[3.3, 25.0]]])
    written = st.fixed_dictionaries({"kind": st.just("timetable"), "spells": spells})
    return st.one_of(st.none(), st.none(), by_chance, weibull, written)


@cache
def fault_policies() -> st.SearchStrategy[dict[str, Any]]:
    retry = {"limit": st.integers(0, 4), "first": st.sampled_from([0.0, 0.4]), "factor": st.sampled_from([1.0, 2.0])}
    return st.fixed_dictionaries(
        {
            "in_service": st.sampled_from(["lose", "migrate", "drop"]),
            "waiting": st.sampled_from(["stay", "lose", "migrate", "drop"]),
            "arriving": st.sampled_from(["wait", "lose", "drop"]),
            "retry": st.fixed_dictionaries({**retry, "most": st.just(1.0)}),
            "lost_work": st.sampled_from(["paid", "free"]),
        }
    )


@st.composite
def _broken(draw: st.DrawFn, scenario: dict[str, Any]) -> dict[str, Any]:
    """The scenario with faults of all kinds."""
    timeouts = st.sampled_from([None, None, 0.5, 3.0])
    for node in [*scenario["edges"], *scenario["clouds"]]:
        node |= {"crashes": draw(faults()), "timeout": draw(timeouts)}
        for kind in ("uplink", "downlink", "lan"):
            if isinstance(node.get(kind), dict):
                node[kind]["outages"] = draw(faults())
        times = draw(faults())
        if node["server"]["kind"] == "api" and times is not None:
            node["server"]["brownouts"] = {"times": times, "streams": 1, "request_rate": draw(amount(1, 5))}
    for workload in scenario["workloads"]:
        workload["timeout"] = draw(timeouts)
    return scenario | {"faults": draw(fault_policies())}


@st.composite
def _node(draw: st.DrawFn, name: str, models: list[str], disciplines: list[str]) -> dict[str, Any]:
    kind = draw(servers())
    if kind["kind"] != "slots":
        models = models[:1]
    weights = [MODELS[m]["weights"] for m in models]
    kv = 3e5 * (LARGEST_PROMPT + MAX_OUTPUT) * 3
    slowdown = None if kind["kind"] == "api" else draw(slowdowns())
    spare = draw(st.sampled_from([0.0, 0.5, 1.0]))
    memory = max(weights) + spare * (sum(weights) - max(weights)) + (0 if kind["kind"] == "slots" else kv)
    return {
        "id": name,
        "hardware": draw(st.sampled_from(["box", "rack"])),
        "models": models,
        "law": {m: draw(laws()) for m in models},
        "memory": memory,
        "server": kind,
        "discipline": draw(st.sampled_from(disciplines)),
        "speed": draw(st.sampled_from([1.0, 0.5, 2.5])),
        "slowdown": slowdown,
        "busy_power": draw(st.sampled_from([10.0, 300.0])),
        "idle_power": 5.0,
        "tariff": draw(st.sampled_from([0.0, 4.6e-8])),
        "amortisation": draw(st.sampled_from([0.0, 2.1e-5])),
    }


@st.composite
def _edges(draw: st.DrawFn, count: int, complete_first: bool, disciplines: list[str]) -> list[dict[str, Any]]:
    edges = []
    for i in range(count):
        if i == 0 and complete_first:
            hosted = ["generalist", *draw(st.lists(st.sampled_from(["text", "image"]), max_size=2, unique=True))]
        else:
            names = [m for m in MODELS if m != "generalist"]
            hosted = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        edge = draw(_node(f"edge-{i}", hosted, disciplines))
        edge["site"] = draw(st.sampled_from(["north", "south"]))
        for kind in ("uplink", "downlink", "lan"):
            if draw(st.integers(0, 4)) > 0:
                edge[kind] = draw(st.one_of(st.just("shared-kind"), links()))
        edges.append(edge)
    return edges


@st.composite
def _clouds(draw: st.DrawFn, count: int, disciplines: list[str]) -> list[dict[str, Any]]:
    clouds = []
    for i in range(count):
        cloud = draw(_node(f"cloud-{i}", ["generalist"], disciplines))
        cloud["delay"] = draw(st.sampled_from([0.0, 0.015, 0.08]))
        price = draw(st.sampled_from([None, "by-token", {"price_in": 5.3e-7, "price_out": 2.66e-6}]))
        if price is not None:
            cloud["price"] = price
        clouds.append(cloud)
    return clouds


@cache
def _lognormal(low: float, high: float, most: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "kind": st.just("lognormal"),
            "mean": amount(low, high),
            "cv": st.sampled_from([0.3, 1.0]),
            "max": st.just(most),
        }
    )


@cache
def _tokens(most: int) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.integers(0, most),
        _lognormal(1, most / 2, most),
        st.fixed_dictionaries({"kind": st.just("uniform"), "low": st.just(0), "high": st.integers(1, most)}),
        st.just({"kind": "choice", "values": [0, most // 2, most], "weights": [1, 2, 1]}),
    )


@cache
def _demands() -> st.SearchStrategy[dict[str, Any]]:
    """Always continuous: see the module's docstring."""
    return st.one_of(
        st.fixed_dictionaries({"kind": st.just("exponential"), "mean": amount(0.01, 1.5)}),
        st.fixed_dictionaries({"kind": st.just("lognormal"), "mean": amount(0.01, 1), "cv": st.sampled_from([0.5, 2])}),
        st.fixed_dictionaries({"kind": st.just("uniform"), "low": st.just(0.01), "high": amount(0.02, 1)}),
    )


@st.composite
def _stage(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "prompt": draw(_tokens(MAX_PROMPT)),
        "output": draw(_tokens(MAX_OUTPUT)),
        "demand": draw(_demands()),
        "difficulty": draw(st.sampled_from([0.0, {"kind": "normal", "mean": 0, "sd": 1}])),
    }


@st.composite
def _written(draw: st.DrawFn, modalities: list[str]) -> dict[str, Any]:
    count = draw(st.integers(1, 6))
    subtasks = []
    for i in range(count):
        after = draw(st.lists(st.sampled_from(range(i)), max_size=3, unique=True)) if i else []
        subtask: dict[str, Any] = {"id": f"s{i}"}
        if after:
            subtask["after"] = [f"s{k}" for k in after]
        else:
            subtask["modality"] = draw(st.sampled_from(modalities))
        if draw(st.booleans()):
            subtask["output"] = draw(_tokens(MAX_OUTPUT))
        subtasks.append(subtask)
    return {"kind": "written", "subtasks": subtasks}


@cache
def _count(low: int, high: int) -> st.SearchStrategy[dict[str, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda ab: {"min": min(ab), "max": max(ab)})


@st.composite
def _template(draw: st.DrawFn, modalities: list[str]) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(
            [
                "explain-analyze-generate",
                "explain-analyze-generate",
                "perception-reasoning-decision",
                "plan-execute-aggregate",
                "layered",
                "written",
            ]
        )
    )
    if kind == "explain-analyze-generate":
        return {
            "kind": kind,
            "explain": draw(st.sampled_from(["per_modality", "single"])),
            "analyze": draw(_count(1, 3)),
            "join": draw(st.sampled_from(["all", "subset"])),
        }
    if kind == "perception-reasoning-decision":
        return {"kind": kind, "reasoning": draw(_count(1, 3))}
    if kind == "plan-execute-aggregate":
        return {"kind": kind, "execute": draw(_count(2, 4))}
    if kind == "layered":
        return {
            "kind": kind,
            "subtasks": draw(_count(2, MOST_PREDECESSORS)),
            "fat": draw(st.sampled_from([0.2, 0.5, 0.9])),
            "density": draw(st.sampled_from([0.2, 0.5, 1.0])),
            "regularity": draw(st.sampled_from([0.0, 0.5, 1.0])),
            "jump": draw(st.integers(1, 3)),
        }
    return draw(_written(modalities))


@cache
def _arrivals(period: float) -> st.SearchStrategy[dict[str, Any]]:
    rate = amount(0.5 / period, 2 / period)
    diurnal = st.just({"period": 8 * period, "amplitude": 0.7, "phase": period})
    return st.one_of(
        st.fixed_dictionaries({"kind": st.just("poisson"), "rate": rate}, optional={"modulation": diurnal}),
        st.fixed_dictionaries({"kind": st.just("gamma"), "rate": rate, "cv": st.sampled_from([0.4, 2.0])}),
        st.fixed_dictionaries({"kind": st.just("weibull"), "rate": rate, "cv": st.sampled_from([0.6, 1.8])}),
        st.just({"kind": "mmpp", "phase_rates": [3 / period, 0.2 / period], "mean_sojourn": [2 * period, 3 * period]}),
        st.just({"kind": "periodic", "period": period, "jitter": 0.4 * period}),
    )


@st.composite
def _workload(draw: st.DrawFn, name: str, homes: list[str]) -> dict[str, Any]:
    modalities = draw(st.lists(st.sampled_from(MODALITIES), min_size=1, max_size=3, unique=True))
    specs: dict[str, Any] = {}
    for modality in modalities:
        spec: dict[str, Any] = {"tokens": draw(_tokens(MAX_PAYLOAD_TOKENS))}
        if draw(st.integers(0, 3)) > 0:
            spec["payload"] = draw(st.one_of(amount(1e3, 3e5), _lognormal(1e3, 2e5, 10**6)))
        specs[modality] = spec
    shares = [1.0, *draw(st.lists(st.sampled_from([0.3, 0.7, 1.0]), min_size=2, max_size=2))]
    for modality, share in zip(modalities, shares, strict=False):
        specs[modality]["share"] = share
    workload: dict[str, Any] = {
        "id": name,
        "arrivals": draw(_arrivals(draw(st.sampled_from([0.5, 2.0, 8.0])))),
        "template": draw(_template(modalities)),
        "modalities": specs,
        "stages": {stage: draw(_stage()) for stage in ("explain", "analyze", "generate")},
        "length_noise": draw(st.sampled_from([0.0, 0.4])),
        "max_output": MAX_OUTPUT,
        "weight": draw(st.sampled_from([1, {"kind": "choice", "values": [1, 3]}])),
    }
    if draw(st.booleans()):
        workload["homes"] = draw(st.lists(st.sampled_from(homes), min_size=1, unique=True))
    if draw(st.booleans()):
        workload["deadline"] = 4.0
    return workload


@st.composite
def scenarios(
    draw: st.DrawFn,
    *,
    most_tasks: int = 25,
    clouds: tuple[int, int] = (0, 2),
    disciplines: tuple[str, ...] = ("agent", "fifo", "wspt", "srt"),
    horizons: tuple[str, ...] = ("tasks",),
    with_faults: bool = False,
) -> dict[str, Any]:
    """A small valid scenario: 1-5 edges, some clouds, every kind of server, channel, template and arrival process.

    `clouds` are the fewest and the most clouds.
    """
    edge_count, cloud_count = draw(st.integers(1, 5)), draw(st.integers(*clouds))
    edges = draw(_edges(edge_count, cloud_count == 0, list(disciplines)))
    homes = [edge["id"] for edge in edges]
    horizon: dict[str, Any] = {"tasks": draw(st.integers(1, most_tasks))}
    if draw(st.sampled_from(horizons)) == "time":
        horizon = {"time": draw(amount(1, 30))}
    scenario = {
        "schema_version": 1,
        "name": "drawn",
        "seed": draw(st.integers(0, 2**32)),
        "horizon": horizon,
        "warm_up": draw(st.sampled_from([0.0, 0.5])),
        "objective": {"latency_weight": 0.5, "latency_reference": 2.0, "cost_reference": 1e-3},
        "telemetry_interval": draw(st.sampled_from([0.0, 0.7, 5.0])),
        "order": draw(st.sampled_from(["at_service_start", "at_ready"])),
        "bytes_per_token": draw(st.sampled_from([4.0, 400.0])),
        "catalogue": {
            "hardware": {
                "box": {"memory": 16e9, "bandwidth": 1e11, "compute": 2e13, "load_rate": 4e9, "load_overhead": 0.3},
                "rack": {"memory": 640e9, "bandwidth": 2e13, "compute": 8e15, "load_rate": 2e10, "load_overhead": 0.1},
            },
            "models": MODELS,
            "prices": {"by-token": {"price_in": 2e-7, "price_out": 8.8e-7}},
        },
        "links": {"shared-kind": {"channel": 5e6, "delay": 0.01}},
        "sites": [{"id": "north"}, {"id": "south"}],
        "edges": edges,
        "clouds": draw(_clouds(cloud_count, list(disciplines))),
        "workloads": [draw(_workload(f"work-{k}", homes)) for k in range(draw(st.integers(1, 2)))],
    }
    return with_units(draw(_broken(scenario)) if with_faults else scenario)
