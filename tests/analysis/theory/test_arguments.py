"""What no closed form can be of is refused, with its name and value."""

from __future__ import annotations

import math

import pytest

from simoffload.analysis.theory import arguments


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_is_not_positive_is_named(value: float) -> None:
    with pytest.raises(ValueError, match=f"rate must be a finite number above 0, not {value!r}"):
        arguments.positive(rate=value)


def test_zero_is_not_negative() -> None:
    arguments.not_negative(rate=0.0)
    with pytest.raises(ValueError, match=r"rate must be a finite number of at least 0, not -1\.0"):
        arguments.not_negative(rate=-1.0)


@pytest.mark.parametrize("servers", [1.5, math.inf, math.nan])
def test_what_is_no_number_of_servers_is_refused(servers: float) -> None:
    with pytest.raises(ValueError, match=f"servers must be a whole number of at least 1, not {servers}"):
        arguments.at_least(1, servers=servers)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.1, 1.0, math.nan])
def test_a_quantile_is_of_a_share_below_1(share: float) -> None:
    with pytest.raises(ValueError, match="below 1"):
        arguments.share(share)


@pytest.mark.parametrize("load", [1.0, 1.5, math.nan])
def test_a_load_of_1_has_no_steady_state(load: float) -> None:
    with pytest.raises(arguments.UnstableError, match="no steady state"):
        arguments.stable(load)
