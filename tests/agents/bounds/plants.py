"""Small scenarios without chance: a few subtasks that the nodes and links of a made-up plant take easy times for."""

from __future__ import annotations

from simoffload.schema import Scenario, load_scenario, load_scenario_text

PLANT = """
schema_version: 1
name: small
seed: 1
horizon: {tasks: 1}
telemetry_interval: 0 s
bytes_per_token: 100 kB/tok
objective: {latency_weight: 0.5, latency_reference: 1 s, cost_reference: 1 USD}
catalogue:
  hardware:
    box: {memory: 1 GB, bandwidth: 1 GB/s, compute: 1 TFLOP/s, amortisation: 0.1 USD/s}
  models:
    reader: {parameters: 1e6, weights: 1 MB, modalities: [text]}
    viewer: {parameters: 1e6, weights: 1 MB, modalities: [text, image]}
links:
  line: {channel: 8 Mbit/s, delay: 50 ms}
sites: [{id: hall}, {id: yard}]
edges:
  - {id: slow, site: hall, hardware: box, models: [reader], uplink: line, downlink: line, lan: line}
  - {id: eye, site: hall, hardware: box, models: [viewer], speed: 2, uplink: line, downlink: line, lan: line}
clouds:
  - id: cloud
    hardware: box
    models: [viewer]
    speed: 4
    server: {kind: slots, slots: 2}
    amortisation: 2 USD/s
    delay: 100 ms
workloads:
  - id: work
    homes: [slow]
    arrivals: {kind: periodic, period: 1 s, aligned: true}
    modalities: {text: {payload: 100 kB}, image: {payload: 1 MB}}
    template:
      kind: written
      subtasks:
        - {id: read, output: 2 tok, demand: 1 s}
        - {id: look, modality: image, output: 4 tok, demand: 2 s}
        - {id: tell, after: [read, look], output: 1 tok, demand: 3 s}
"""


def template(*subtasks: str) -> str:
    """The setting that gives tasks these subtasks, each written as in a scenario without its braces."""
    written = ", ".join(f"{{{subtask}}}" for subtask in subtasks)
    return f"workloads.work.template={{kind: written, subtasks: [{written}]}}"


def small(*settings: str) -> Scenario:
    """The plant above, with settings: two edge nodes, of which one sees, and a cloud that is fast and dear."""
    return load_scenario_text(PLANT, overrides=settings)


def static_small(seed: int, tasks: int = 1) -> Scenario:
    """The bundled scenario with fewer tasks, and references that need not be worked out."""
    references = ("objective.latency_reference=10 s", "objective.cost_reference=0.005 USD")
    return load_scenario("static-small", [f"seed={seed}", f"horizon.tasks={tasks}", *references])
