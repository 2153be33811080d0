"""How long a node takes for a subtask that it serves alone, and what its service costs.

Times follow the inference model of `laws`; costs are energy at a tariff and the wear of the machine, or a price per
token where the node has one.
"""

from __future__ import annotations

from bisect import bisect_right

from ..laws import decode_alone_s
from ..plant import HostedModel, PlantNode
from ..tasks.graph import EXPLAIN
from .job import Job


def before_tokens_s(
    model: HostedModel, speed: float, stage: int, modality: int, tokens: float, demand_s: float
) -> float:
    """The part of the prefill that does not depend on the prompt's length, s.

    Encoder of a first stage's modality, overhead of the prefill, and the subtask's further demand at speed 1; a subtask
    without any tokens calls no model and takes its further demand only.
    """
    if tokens <= 0:
        return demand_s / speed
    encoder_s = model.encoder_s[modality] if stage == EXPLAIN else 0.0
    return encoder_s + model.law.prefill_overhead_s + demand_s / speed


def alone_s(model: HostedModel, before_s: float, prompt: float, output: float) -> tuple[float, float]:
    """Seconds from the start of service to the first and to the last token, with the machine to itself."""
    first = before_s + prompt * model.law.prefill_s_per_token
    return first, first + decode_alone_s(model.law, prompt, output)


def written_alone(job: Job, model: HostedModel, worked_s: float) -> int:
    """Tokens that a job has written after so many seconds of its service alone; at most its output."""
    before_s, prompt = job.before_tokens_s, job.prompt
    return bisect_right(range(1, job.output + 1), worked_s, key=lambda n: alone_s(model, before_s, prompt, n)[1])


def bill(job: Job, node: PlantNode, end_s: float, written: int) -> None:
    """Set energy in J and cost in USD of a job whose service ended then, with so many tokens written.

    A job pays for its share of the node's time: its service over the slots, or its part of the batch it was in. The
    machine behind a public interface is somebody else's; it costs what its price says, the prompt as a whole as soon
    as the service has begun.
    """
    model = node.models[job.model]
    kind = node.server.kind
    share_s = 0.0
    energy_j = 0.0
    if node.server.kind == "slots":
        share_s = (job.share_s if node.server.preemption == "resume" else end_s - job.start_s) / node.capacity
        energy_j = node.busy_power_w * share_s
    elif kind == "batching":
        share_s = job.share_s
        law = model.law
        if law.has_energy:
            energy_j = law.energy_j_per_token * (job.prompt + written) + law.energy_j_per_iteration * job.iterations
        else:
            energy_j = node.busy_power_w * share_s
    job.energy_j = energy_j
    if node.is_priced:
        job.cost_usd = job.prompt * node.price_in_usd + written * node.price_out_usd
    else:
        job.cost_usd = energy_j * node.tariff_usd_per_j + share_s * node.amortisation_usd_per_s
