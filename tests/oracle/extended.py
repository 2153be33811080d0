"""Scenarios with what few have: interrupted services, checked answers; and a fixed one that has much of both."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies import MODALITIES, MODELS, with_units

STAGES = ("explain", "analyze", "generate")
SKILLS = st.sampled_from([-1.0, 0.0, 1.5])
Drawn = st.SearchStrategy[dict[str, Any]]


@st.composite
def interrupting(draw: st.DrawFn, drawn: Drawn) -> dict[str, Any]:
    """A drawn scenario in which most nodes have few slots whose services are interrupted."""
    scenario = draw(drawn)
    for node in [*scenario["edges"], *scenario["clouds"]]:
        if draw(st.integers(0, 3)) > 0:
            weights = sum(MODELS[name]["weights"] for name in node["models"])
            node["server"] = {"kind": "slots", "slots": draw(st.integers(1, 2)), "preemption": "resume"}
            node["memory"] = f"{weights} B"
            node["discipline"] = draw(st.sampled_from(["agent", "agent", "wspt", "srt"]))
    return scenario


@st.composite
def checking(draw: st.DrawFn, drawn: Drawn) -> dict[str, Any]:
    """A drawn scenario, with a cloud, in which answers are checked and models differ in skill."""
    scenario = draw(drawn)
    chance = st.sampled_from([0.0, 0.6, 1.0])
    verify = {"detection": draw(chance), "false_alarm": draw(chance), "limit": draw(st.integers(1, 3))}
    slope, carry = draw(st.sampled_from([1.0, 2.5])), draw(st.sampled_from([0.0, 0.5, 1.0]))
    stages = st.fixed_dictionaries(dict.fromkeys(STAGES, SKILLS))
    skilled = {
        name: model | {"skill": draw(stages), "modality_skill": {draw(st.sampled_from(MODALITIES)): draw(SKILLS)}}
        for name, model in scenario["catalogue"]["models"].items()
    }
    catalogue = scenario["catalogue"] | {"models": skilled}
    return scenario | {"catalogue": catalogue, "quality": {"slope": slope, "carry": carry, "verify": verify}}


def busy() -> dict[str, Any]:
    """A plant of three slots and an interface with more to do than they can, in which everything happens often."""
    law = {"prefill": 2000.0, "decode": 0.01, "prefill_overhead": 0.01}
    link = {"channel": 2e6, "delay": 0.01, "discipline": "agent", "copies": 1}
    crashes = {"kind": "exponential", "mean_up": 15.0, "mean_down": 1.0}
    node = {"hardware": "box", "models": ["generalist"], "law": {"generalist": law}, "memory": 40e9, "crashes": crashes}
    node |= {"busy_power": 100.0, "tariff": 4.6e-8, "amortisation": 2.1e-5, "timeout": 25.0}
    slots = {"kind": "slots", "slots": 1, "preemption": "resume"}
    edges = [
        node | {"id": f"edge-{k}", "server": slots, "discipline": discipline}
        | {"uplink": link, "downlink": link, "lan": link}
        for k, discipline in enumerate(["agent", "wspt", "srt"])
    ]  # fmt: skip
    interface = {"kind": "api", "overhead_median": 0.3, "overhead_sigma": 0.5, "streams": 2}
    price = {"price_in": 2e-7, "price_out": 8.8e-7}
    stage = {"prompt": 50, "output": 30, "demand": {"kind": "exponential", "mean": 0.5}}
    stage["difficulty"] = {"kind": "normal", "mean": 0, "sd": 1}
    workload = {
        "id": "work",
        "arrivals": {"kind": "poisson", "rate": 0.25},
        "template": {"kind": "explain-analyze-generate", "analyze": {"min": 1, "max": 3}},
        "modalities": {"text": {"tokens": 50, "payload": 1e5}},
        "stages": dict.fromkeys(STAGES, stage),
        "max_output": 40,
        "weight": {"kind": "choice", "values": [1, 3]},
    }
    hardware = {"memory": 64e9, "bandwidth": 1e11, "compute": 2e13, "load_rate": 4e9, "load_overhead": 0.3}
    scenario = {
        "schema_version": 1,
        "name": "busy",
        "seed": 5,
        "horizon": {"tasks": 60},
        "objective": {"latency_weight": 0.5, "latency_reference": 2.0, "cost_reference": 1e-3},
        "quality": {"verify": {"detection": 0.8, "false_alarm": 0.1, "limit": 2}},
        "catalogue": {"hardware": {"box": hardware}, "models": MODELS},
        "faults": {"waiting": "stay", "retry": {"limit": 9, "first": 0.4, "factor": 2.0, "most": 2.0}},
        "edges": edges,
        "clouds": [node | {"id": "cloud", "server": interface, "delay": 0.05, "price": price}],
        "workloads": [workload],
    }
    found: dict[str, Any] = with_units(scenario)
    return found
