from __future__ import annotations

from typing import Any

from benchmarks import tables
from benchmarks.queues.comparison import CIW, LOOP, RAW, RECORDED, STATION

MACHINE = {
    "processor": "abacus",
    "cores": 1,
    "system": "wood",
    "python": "none",
    "packages": {"beads": "10"},
    "load_before": 0.0,
    "load_after": 0.5,
}
SIZES = {"jobs": 100, "tasks": 2, "agent_tasks": 3, "rounds": 1}


def row(name: str, cpu_s: float) -> dict[str, Any]:
    return {"name": name, "units": 100, "cpu_s": [cpu_s], "checksum": "0123456789abcdef"}


def test_what_is_aimed_at_stands_beside_what_was_found() -> None:
    rows = [row(STATION, 1.0), row(RAW, 9.0), row(LOOP, 0.5), row(CIW, 11.0), row(RECORDED, 3.0)]
    page = tables.page({"machine": MACHINE, "sizes": SIZES, "queues": {"M/M/4": rows}})
    lines = [line for line in page.splitlines() if line.startswith("| M/M/4 |")]
    assert [line.split(" | ")[-3:] for line in lines] == [
        [">= 8", "9.00", "yes |"],
        [">= 0.6", "0.50", "no |"],
        [">= 10", "11.00", "yes |"],
        [">= 5", "3.00", "no |"],
    ]
    assert f"| {STATION} | 100 | 10000.00 | 100 | 9 (9 to 9) | 01234567 |" in page


def test_a_page_has_only_the_sections_that_were_measured() -> None:
    cost = {"name": "eft", "decision_us": 50.0, "subtask_us": 200.0}
    page = tables.page({"machine": MACHINE, "sizes": SIZES, "agents": [cost], "start-up": {"look": 0.25}})
    assert "| eft | 50.0 | 20,000 | 200 |" in page
    assert "| `look` | 0.25 |" in page
    assert "M/M" not in page
    assert "Records" not in page
