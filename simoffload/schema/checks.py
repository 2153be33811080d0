"""Checks of a well-formed scenario: whether its nodes can do its work, its graphs have an order, its times fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import units
from .base import Modality
from .document import TreePath
from .findings import Finding
from .nodes import ApiServer, BatchingServer, CloudServer, EdgeNode, Hardware, Model, SlotsServer
from .scenario import Catalogue, Scenario
from .workload import Workload, Written

Node = EdgeNode | CloudServer


def scenario_findings(scenario: Scenario, catalogue: Catalogue) -> Iterator[Finding]:
    """What keeps a well-formed scenario from running; nodes with unknown names are passed over."""
    nodes = [(path, node) for path, node in _nodes(scenario) if _is_known(node, catalogue)]
    for path, node in nodes:
        yield from _memory(path, node, catalogue)
        yield from _laws(path, node, catalogue)
        yield from _server(path, node, scenario, catalogue)
    if len(nodes) == len(scenario.edges) + len(scenario.clouds):
        yield from _modalities(scenario, {m for _, node in nodes for m in _serves(node, catalogue)})
    yield from workload_findings(enumerate(scenario.workloads))
    if scenario.horizon.time is not None and scenario.warm_up >= scenario.horizon.time:
        end = units.write(scenario.horizon.time, units.TIME)
        yield Finding(("warm_up",), f"the warm-up lasts to the end of the run at {end}; nothing would be measured")
    if scenario.quality.verify is not None and not scenario.clouds:
        yield Finding(("quality", "verify"), "there is no cloud in which what fails could be done again", at_key=True)
    yield from _unused_links(scenario)


def workload_findings(workloads: Iterable[tuple[int, Workload]]) -> Iterator[Finding]:
    """What keeps well-formed workloads, given with their numbers, from running wherever they are."""
    for number, workload in workloads:
        path = ("workloads", number)
        if isinstance(workload.template, Written):
            yield from _order((*path, "template", "subtasks"), workload.template)
        yield from _weight((*path, "weight"), workload)


def _nodes(scenario: Scenario) -> Iterator[tuple[TreePath, Node]]:
    for number, edge in enumerate(scenario.edges):
        yield ("edges", number), edge
    for number, cloud in enumerate(scenario.clouds):
        yield ("clouds", number), cloud


def _is_known(node: Node, catalogue: Catalogue) -> bool:
    return node.hardware in catalogue.hardware and all(name in catalogue.models for name in node.models)


def _memory(path: TreePath, node: Node, catalogue: Catalogue) -> Iterator[Finding]:
    memory = catalogue.hardware[node.hardware].memory if node.memory is None else node.memory
    for number, name in enumerate(node.models):
        weights = catalogue.models[name].weights
        if weights > memory:
            needs, has = units.write(weights, units.DATA), units.write(memory, units.DATA)
            yield Finding((*path, "models", number), f"model '{name}' needs {needs} of memory; the node has {has}")


def _laws(path: TreePath, node: Node, catalogue: Catalogue) -> Iterator[Finding]:
    hardware = catalogue.hardware[node.hardware]
    if hardware.bandwidth > 0 and hardware.compute > 0:
        return
    measured = {law.model for law in catalogue.laws if law.hardware == node.hardware}
    for number, name in enumerate(node.models):
        if name not in node.law and name not in measured:
            message = (
                f"no serving law for model '{name}' on '{node.hardware}': none is measured, and none follows from "
                "hardware without bandwidth or compute; give one under 'law'"
            )
            yield Finding((*path, "models", number), message)


def _server(path: TreePath, node: Node, scenario: Scenario, catalogue: Catalogue) -> Iterator[Finding]:
    if isinstance(node.server, (BatchingServer, ApiServer)) and len(node.models) > 1:
        kind = "a batching server" if isinstance(node.server, BatchingServer) else "an api server"
        yield Finding((*path, "models"), f"{kind} hosts one model, not {len(node.models)}", at_key=True)
        return
    if isinstance(node.server, ApiServer) and node.slowdown is not None:
        message = "an api server has no slow-downs: its machine is somebody else's, and takes what its law says"
        yield Finding((*path, "slowdown"), message, at_key=True)
    if isinstance(node.server, ApiServer) and getattr(node, "price", None) is None:
        message = "an api server without a price costs nothing, since its machine is somebody else's"
        yield Finding((*path, "server"), message, severity="warning", at_key=True)
    if isinstance(node.server, SlotsServer) and node.server.preemption == "resume":
        yield from _preemption(path, node, catalogue)
    if isinstance(node.server, BatchingServer):
        model, hardware = catalogue.models[node.models[0]], catalogue.hardware[node.hardware]
        yield from _kv_memory(path, node, node.server, model, hardware, scenario)


def _preemption(path: TreePath, node: Node, catalogue: Catalogue) -> Iterator[Finding]:
    if node.discipline == "fifo":
        message = "a line that goes by arrival has nobody to interrupt for; allowed with preemption: agent, wspt, srt"
        yield Finding((*path, "discipline"), message)
    memory = catalogue.hardware[node.hardware].memory if node.memory is None else node.memory
    if sum(catalogue.models[name].weights for name in node.models) > memory:
        message = "a node that interrupts services must hold all its models at once: they are not swapped in between"
        yield Finding((*path, "models"), message, at_key=True)


def _kv_memory(
    path: TreePath, node: Node, server: BatchingServer, model: Model, hardware: Hardware, scenario: Scenario
) -> Iterator[Finding]:
    """A request is admitted when its prompt and the longest answer it may give fit; some must fit, or nothing moves."""
    from ..plant import KV_SHARE

    tokens = server.kv_tokens
    if tokens is None:
        spare = (hardware.memory if node.memory is None else node.memory) - model.weights
        if model.kv_per_token <= 0 or spare < 0:
            return
        tokens = KV_SHARE * spare / model.kv_per_token
    for workload in scenario.workloads:
        if workload.max_output >= tokens:
            message = (
                f"its KV memory holds {int(tokens)} tokens, no more than the {workload.max_output} of max_output that "
                f"each subtask of workload '{workload.id}' reserves; none could ever start"
            )
            yield Finding((*path, "server"), message, at_key=True)


def _serves(node: Node, catalogue: Catalogue) -> set[Modality]:
    return {modality for name in node.models for modality in catalogue.models[name].modalities}


def _modalities(scenario: Scenario, served: set[Modality]) -> Iterator[Finding]:
    for number, workload in enumerate(scenario.workloads):
        path = ("workloads", number)
        if isinstance(workload.template, Written):
            for place, subtask in enumerate(workload.template.subtasks):
                if subtask.modality not in served:
                    here = (*path, "template", "subtasks", place)
                    yield Finding(here, f"no node hosts a model that reads {subtask.modality}")
        else:
            for modality, spec in workload.modalities.items():
                if spec.share > 0 and modality not in served:
                    way = (*path, "modalities", modality)
                    yield Finding(way, f"no node hosts a model that reads {modality}", at_key=True)
        if "text" not in served:
            yield Finding((*path, "id"), "no node hosts a model that reads text, which the later stages need")


def _order(path: TreePath, template: Written) -> Iterator[Finding]:
    """Each subtask after those it names: the members of a circle, should there be one."""
    numbers = {subtask.id: number for number, subtask in reversed(list(enumerate(template.subtasks)))}
    after = {subtask.id: [name for name in subtask.after if name in numbers] for subtask in template.subtasks}
    while True:
        free = [name for name, earlier in after.items() if not any(one in after for one in earlier)]
        if not free:
            break
        for name in free:
            del after[name]
    if after:
        circle = _circle(after)
        way = (*path, numbers[circle[0]], "after")
        yield Finding(way, f"subtasks wait for one another in a circle: {' -> '.join(circle)}")


def _circle(after: dict[str, list[str]]) -> list[str]:
    """A circle among subtasks each of which waits for another one of them, from its first member back to it."""
    seen = [next(iter(after))]
    while True:
        earlier = next(name for name in after[seen[-1]] if name in after)
        if earlier in seen:
            members = seen[seen.index(earlier) :]
            first = members.index(min(members, key=list(after).index))
            return [*members[first:], *members[:first], members[first]]
        seen.append(earlier)


def _weight(path: TreePath, workload: Workload) -> Iterator[Finding]:
    given = [getattr(workload.weight, key, None) for key in ("value", "low", "min", "mean")]
    if any(value < 0 for value in (*given, *getattr(workload.weight, "values", [])) if value is not None):
        yield Finding(path, "a task's weight must not be negative")


def _unused_links(scenario: Scenario) -> Iterator[Finding]:
    used = {link for edge in scenario.edges for link in (edge.uplink, edge.downlink, edge.lan) if isinstance(link, str)}
    for name in scenario.links:
        if name not in used:
            yield Finding(("links", name), "no node uses this link", severity="warning", at_key=True)
