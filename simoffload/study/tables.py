"""The tables of a study: as CSV with every digit, and as Markdown for people."""

from __future__ import annotations

import csv
import io
import math
import string
from collections.abc import Iterator, Mapping, Sequence

from ..analysis.numbers import MINUS, UNKNOWN, counted, decimals, percent, plus_minus, rounded
from .comparing import Comparison, Percent, Tally
from .hindsight import Contest, tally_by_policy
from .lines import Line, tally
from .optimality import GapLine

COMPARED = (
    "difference", "difference_half_width", "difference_level", "holm_p_value", "percent", "percent_half_width",
    "scheme_half_width", "scheme_level", "scheme_degrees", "scheme_holm_p_value", "scheme_percent_half_width",
    "verdict",
)  # fmt: skip
"""Of a comparison: `difference` of two objectives, `percent` the same of the second one, whose half-width allows for
that one's error, too. Columns of `scheme_` are of the interval that holds for any trainings, nan where a scheme was
trained once; the others' holds for these trainings.
"""
COLUMNS = (
    "at", "agent", "seeds", "objective", "half_width", "level", "latency_s", "latency_p95_s", "cost_usd",
    "cloud_share", "completed", "measured", "grew", *COMPARED, "of_trainings",
)  # fmt: skip
"""Of the CSV files. What is compared is the subject with the agent."""

_NUMERIC = (*string.digits, MINUS)


def as_csv(lines: Sequence[Line]) -> str:
    """One row a line; empty where there is nothing to be said, as of the subject's difference from itself."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_row(line) for line in lines)
    return text.getvalue()


def _row(line: Line) -> list[object]:
    compared = [""] * len(COMPARED) if line.behind is None else _compared(line.behind)
    return [
        line.at,
        line.agent,
        len(line.seeds),
        line.objective.mean,
        line.objective.half_width,
        line.objective.level,
        *(line.mean(name) for name in ("latency_s", "latency_p95_s", "cost_usd", "cloud_share")),
        sum(each.completed for each in line.outcomes),
        sum(each.measured for each in line.outcomes),
        line.grew,
        *compared,
        " ".join(f"{seed}:{mean!r}" for seed, mean in line.of_trainings.items()),
    ]


def _compared(behind: Comparison) -> list[object]:
    here, schemes, share = behind.here.difference, behind.schemes.difference, behind.percent
    return [
        *(here.mean, here.half_width, here.level, behind.here.p_value, share.mean, share.here),
        *(schemes.half_width, schemes.level, behind.schemes.degrees, behind.schemes.p_value, share.schemes),
        behind.verdict.value,
    ]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; columns of words are set to the left, those of numbers to the right."""
    texts = [[cell.replace("|", "\\|") for cell in row] for row in (heads, *rows)]
    widths = [max(3, *(len(row[column]) for row in texts)) for column in range(len(heads))]
    is_words = [column == 0 or not any(row[column][:1] in _NUMERIC for row in rows) for column in range(len(heads))]
    rule = ["-" * width if words else "-" * (width - 1) + ":" for words, width in zip(is_words, widths, strict=True)]
    padded = [
        [
            cell.ljust(width) if words else cell.rjust(width)
            for cell, words, width in zip(row, is_words, widths, strict=True)
        ]
        for row in texts
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:]))


def schemes_table(lines: Sequence[Line], subject: str, remarks: Mapping[str, str]) -> str:
    """An agent a row, best first."""
    heads = (
        "agent", *(["what it lacks"] if remarks else []), "objective", "of each training", "mean latency, s", "p95, s",
        "USD per 1000 tasks", "in the cloud", "backlog grew", f"{subject} against it",
        "± these trainings", "± any trainings", "in words",
    )  # fmt: skip
    return markdown(heads, [_scheme_row(line, remarks) for line in lines])


def _scheme_row(line: Line, remarks: Mapping[str, str]) -> list[str]:
    return [
        line.agent,
        *([remarks.get(line.agent, "")] if remarks else []),
        plus_minus(line.objective.mean, line.objective.half_width),
        ", ".join(rounded(mean) for mean in line.of_trainings.values()) or UNKNOWN,
        rounded(line.mean("latency_s")),
        rounded(line.mean("latency_p95_s")),
        rounded(1000 * line.mean("cost_usd")),
        percent(line.mean("cloud_share")),
        f"{line.grew} of {len(line.seeds)}",
        *_three(line.behind),
        verdict(line),
    ]


def places_table(lines: Sequence[Line], subject: str, label: str, agents: Sequence[str]) -> str:
    """A place a row: the subject's objective, and of every other agent its own and the subject's difference from it."""
    others = [agent for agent in agents if agent != subject]
    by_place: dict[float | str, dict[str, Line]] = {}
    for line in lines:
        by_place.setdefault(line.at, {})[line.agent] = line
    rows = []
    for at, found in by_place.items():
        own = found[subject]
        rows.append([_at(at), _marked(own, ""), *(_marked(found[name], _share(found[name].behind)) for name in others)])
    return markdown((label, subject, *others), rows)


def _marked(line: Line, share: str) -> str:
    """The objective, a dagger if the backlog grew on most seeds, and the subject's difference."""
    text = rounded(line.objective.mean) + ("†" if 2 * line.grew > len(line.seeds) else "")
    return f"{text} ({share})" if share else text


def _at(at: float | str) -> str:
    return at if isinstance(at, str) else f"{at:g}"


def _three(behind: Comparison | None) -> list[str]:
    """A difference in per cent, and its half-widths."""
    if behind is None:
        return [UNKNOWN] * 3
    share = behind.percent
    here, schemes = (_half_width(each, share) for each in (share.here, share.schemes))
    return [f"{decimals(share.mean, _places(share))} %", f"{here} %", f"{schemes} %" if schemes != "?" else UNKNOWN]


def _share(behind: Comparison | None) -> str:
    """A difference in per cent, and its half-width with any trainings."""
    if behind is None:
        return UNKNOWN
    share = behind.percent
    return f"{decimals(share.mean, _places(share))} ± {_half_width(share.schemes, share)} %"


def _half_width(value: float, share: Percent) -> str:
    return "?" if math.isnan(value) else decimals(value, _places(share))


def _places(share: Percent) -> int:
    """A decimal where the difference is small."""
    return 1 if abs(share.mean) < 100 else 0


def verdict(line: Line) -> str:
    """How the subject did against it."""
    return UNKNOWN if line.behind is None else line.behind.verdict.value


def count(lines: Sequence[Line], subject: str) -> str:
    """How many comparisons were won, lost, and neither."""
    return _counted(tally(lines), subject, "")


def counts_by_agent(lines: Sequence[Line], subject: str) -> str:
    """The same over the places, agent by agent."""
    names = list(dict.fromkeys(line.agent for line in lines if line.behind is not None))
    return "\n".join(f"- {text}" for text in _by_agent(lines, subject, sorted(names)))


def _by_agent(lines: Sequence[Line], subject: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield _counted(tally([line for line in lines if line.agent == name]), subject, f" with {name}")


def _counted(found: Tally, subject: str, whom: str) -> str:
    return f"Of {counted(found.total, 'comparison')}{whom} {subject} is {_outcomes(found, '')}."


def _outcomes(found: Tally, than: str) -> str:
    """How many came out how; what holds for these trainings alone is told where there is any."""
    here = ""
    if found.better_here or found.worse_here:
        here = f", with these trainings alone better in {found.better_here} and worse in {found.worse_here}"
    return (
        f"better{than} in {found.better} and worse in {found.worse}{here}; in {found.undecided} the interval includes "
        "zero"
    )


def contests_table(found: Sequence[Contest]) -> str:
    """A place a row: the best there of the rules listed, and every policy's difference from it."""
    policies = list(dict.fromkeys(each.policy.agent for each in found))
    by_place: dict[tuple[str, float | str], dict[str, Contest]] = {}
    for each in found:
        by_place.setdefault((each.what, each.at), {})[each.policy.agent] = each
    rows = []
    for (what, at), here in by_place.items():
        rule = next(iter(here.values())).rule
        shares = [_share(here[name].behind) if name in here else UNKNOWN for name in policies]
        rows.append([what, _at(at), rule.agent, _marked(rule, ""), *shares])
    return markdown(("what", "at", "best rule listed", "its objective", *policies), rows)


def contests_counts(found: Sequence[Contest]) -> str:
    """How the contests of each policy came out, and where it did worst."""
    texts = []
    for policy, (counts, worst) in tally_by_policy(found).items():
        texts.append(
            f"- Of {counted(counts.total, 'place')} {policy} is "
            f"{_outcomes(counts, ' than the best of the rules listed')}. At worst it is at {_share(worst.behind)}: "
            f"{worst.what}, {_at(worst.at)}."
        )
    return "\n".join(texts)


def contests_csv(found: Sequence[Contest]) -> str:
    """A contest a row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("what", "at", "policy", "objective", "rule", "objective_of_rule", *COMPARED))
    for each in found:
        table.writerow(
            (each.what, each.at, each.policy.agent, each.policy.objective.mean, each.rule.agent,
             each.rule.objective.mean, *_compared(each.behind))
        )  # fmt: skip
    return text.getvalue()


def gaps_csv(lines: Sequence[GapLine]) -> str:
    """An agent a row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("agent", "instances", "proved", "ratio", "half_width", "level", "worst"))
    for line in lines:
        ratio = line.ratio
        table.writerow((line.agent, ratio.n, line.proved, ratio.mean, ratio.half_width, ratio.level, line.worst))
    return text.getvalue()
