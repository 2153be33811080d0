"""How often answers that fail a check are done again, where a scenario has answers checked.

Only the answers of sinks are checked. What fails is done again in the cloud, whose answer may be checked in turn. The
chance of being right is that of `simoffload.quality`; a subtask has the same luck at every attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simoffload.plant import Plant, PlantNode
from simoffload.quality import chance_of_right
from simoffload.schema import Scenario
from simoffload.schema.scenario import Verify

from .kinds import Kind, drawn_tasks

Floats = NDArray[np.float64]


def done_again(scenario: Scenario, plant: Plant, kinds: Sequence[Kind], first: Floats, again: Floats) -> Floats:
    """How often a subtask of each kind is done again, on average over tasks as the scenario draws them; [kind].

    `first[k, r]` is the share of kind k that goes to node r at once, `again[k, r]` the share of what is done again;
    where the latter is 0 for all nodes, nothing is. Where earlier subtasks run, on which an answer rests, is drawn.
    """
    times, count = np.zeros(len(kinds)), np.zeros(len(kinds))
    verify = scenario.quality.verify
    if verify is None:
        return times
    generator = np.random.default_rng(scenario.seed)
    for workload in scenario.workloads:
        numbers = {kind.key: k for k, kind in enumerate(kinds) if kind.workload is workload}
        for task in drawn_tasks(scenario, workload):
            graph, is_right = task.graph, [True] * len(task.graph)
            for subtask in graph.topological:
                k = numbers.get(graph.names[subtask], numbers.get((graph.stages[subtask], graph.modalities[subtask])))
                if k is None:
                    continue  # too rare to be among the kinds
                wrong = sum(not is_right[earlier] for earlier in graph.predecessors[subtask])
                chance = {
                    node.number: _chance(scenario, node, kinds[k], task.difficulty[subtask], wrong)
                    for node in plant.nodes
                    if first[k, node.number] > 0 or again[k, node.number] > 0
                }
                if graph.successors[subtask]:
                    node = int(generator.choice(len(plant.nodes), p=first[k]))
                    is_right[subtask] = chance[node] > task.luck[subtask]
                    continue
                count[k] += 1
                for here, there in product(chance, chance):
                    share = float(first[k, here] * again[k, there])
                    if share > 0:
                        times[k] += share * reworked(chance[here], chance[there], verify)
    return times / np.maximum(count, 1)


def _chance(scenario: Scenario, node: PlantNode, kind: Kind, difficulty: float, wrong: int) -> float:
    model = kind.model(node)
    assert model is not None, "work goes where it can be served"
    return chance_of_right(scenario.quality, model, kind.part.stage, kind.part.modality, difficulty, wrong)


def reworked(here: float, there: float, verify: Verify) -> float:
    """How often an answer is done again on average, given the chances of being right, at first and in the cloud.

    The luck of a subtask is uniform; either answer is right where its chance exceeds it. So both are, one is, or none.
    """
    low, high = min(here, there), max(here, there)
    times = 0.0
    for chance, is_right, is_right_again in (
        (low, True, True), (high - low, here > there, there > here), (1 - high, False, False)
    ):  # fmt: skip
        fails, fails_again = (verify.false_alarm if right else verify.detection for right in (is_right, is_right_again))
        times += chance * fails * sum(fails_again**done for done in range(int(verify.limit)))
    return times
