"""Published traces have the figures that are known of them; skipped where the data are not at hand.

They are looked for in `../shared/data`, beside the repository, each in a folder of its own. None comes with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simoffload.traces import read_rates, read_requests
from simoffload.traces.describing import describe_rates, describe_requests

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def published(name: str) -> Path:
    """A file or folder of the data; the test is skipped where it is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"there is no {name} beside the repository")
    return path


def test_azure_2023_conversation() -> None:
    """Patel et al., Splitwise, ISCA 2024: an hour of a conversation service."""
    trace = read_requests(published("azure-llm-2023/AzureLLMInferenceTrace_conv.csv"))
    found = describe_requests(trace)
    assert (trace.format, trace.skipped.rows, trace.out_of_order) == ("azure-llm", 0, 0)
    assert found.requests == 19_366
    assert trace.times_s[1] == 4.314579
    assert found.rate_per_s == pytest.approx(5.53, abs=0.005)
    assert found.gap_cv == pytest.approx(1.09, abs=0.005)
    assert list(found.dispersion.values()) == [
        pytest.approx(1.4, abs=0.05), pytest.approx(3.9, abs=0.05), pytest.approx(16, abs=0.5)
    ]  # fmt: skip
    prompt, output = found.prompt_tokens, found.output_tokens
    assert (round(prompt.mean), round(prompt.sd), prompt.p50, prompt.p95) == (1155, 1109, 1020, 4083)
    assert (round(output.mean), output.p50, output.p95) == (211, 129, 451)


def test_mooncake_conversation() -> None:
    """Qin et al., Mooncake, FAST 2025: requests grouped every 3 s."""
    trace = read_requests(published("mooncake-fast25/conversation_trace.jsonl"))
    found = describe_requests(trace)
    assert (trace.format, found.requests) == ("mooncake", 12_031)
    assert found.rate_per_s == pytest.approx(3.40, abs=0.005)
    assert found.gap_cv == pytest.approx(3.0, abs=0.05)
    assert (found.distinct_times, found.step_s) == (1180, 3)
    assert (round(found.prompt_tokens.mean), found.prompt_tokens.p50) == (12_035, 6909)
    assert (round(found.output_tokens.mean), found.output_tokens.p50, found.output_tokens.p95) == (343, 350, 698)


def test_servegen_images() -> None:
    """Xiang et al., ServeGen: 818,610 requests of 35 clients in a day.

    Text of 572 tokens and 1.59 images of 650 on average; the two are correlated from client to client, so that the
    prompt has 1442 and not 1603. Standard errors: 1.5 and 0.17 tokens.
    """
    trace = read_requests(published("servegen/multimodal/mm-image"))
    found = describe_requests(trace)
    assert (trace.format, found.requests) == ("servegen", 818_610)
    assert found.prompt_tokens.mean == pytest.approx(572.09 + 870.00, abs=6)
    assert found.output_tokens.mean == pytest.approx(129.70, abs=0.7)
    assert (found.output_tokens.p50, found.output_tokens.p95) == (100, pytest.approx(336, abs=2))
    hours = np.histogram(trace.times_s, 24, (0, 86_400))[0] / 3600
    assert (hours.min() > 4.5, hours.max() < 14) == (True, True)


def test_servegen_reasoning() -> None:
    """Six clients of DeepSeek-R1."""
    trace = read_requests(published("servegen/reason/deepseek-r1"))
    assert len(trace.times_s) == 662_689


def test_fixed_broadband() -> None:
    """Twenty of 59 traces of the FCC's Measuring Broadband America, 5 s to a row.

    All 59 have mean 1.31 and quantiles 0.21, 1.00 and 3.51 Mbit/s; the twenty are a little slower.
    """
    traces = [read_rates(path) for path in sorted(published("fcc-broadband").glob("*.txt"))]
    assert len(traces) == 20
    assert {trace.format for trace in traces} == {"two-column"}
    pooled = np.concatenate([np.asarray(trace.rates_bps) for trace in traces]) / 1e6
    assert len(pooled) == 5591
    assert pooled.mean() == pytest.approx(1.2294, abs=0.0001)
    assert np.quantile(pooled, [0.05, 0.5, 0.95]) == pytest.approx([0.205, 1.032, 2.768], abs=0.001)
    for trace in traces:
        found = describe_rates(trace)
        assert found.step_s == 5
        assert found.loop_s == 5 * found.segments
