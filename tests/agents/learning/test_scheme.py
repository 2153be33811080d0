"""Settings of a scheme are changed as somebody types them, and what is wrong is told with the nearest right name."""

from __future__ import annotations

import re

import pytest

from simoffload.agents.learning.schemes import SCHEMES


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("dqn", {"updats": "3"}, "dqn has no setting 'updats'; did you mean 'updates'"),
        ("dqn", {"horizon_s": "0"}, "horizon_s=0: Input should be greater than 0"),
        ("qmix", {"mixing": "0"}, "mixing=0: Input should be greater than or equal to 1"),
        ("qmix", {"value_hidden": "[4]"}, "qmix has no setting 'value_hidden'"),
        ("ippo", {"trace": "1.01"}, "trace=1.01: Input should be less than or equal to 1"),
        ("mappo", {"kappa": "1.0e+300"}, "kappa=1.0e+300: Input should be less than or equal to 1000000"),
        ("ucb-coma", {"hidden": "[100000000]"}, "hidden=[100000000]: Input should be less than or equal to 4096"),
        ("ucb-coma", {"hidden": "[4, 4, 4, 4, 4, 4, 4, 4, 4]"}, "hidden=[4, 4, 4, 4, 4, 4, 4, 4, 4]: Tuple should"),
        (
            "ucb-coma",
            {"hidden": "32"},
            "hidden=32: Input should be a valid tuple; several values are written as [32, 32]",
        ),
        ("ucb-coma", {"horizon_s": "-1"}, "horizon_s=-1: Input should be greater than 0"),
        ("mappo", {"kappa": ".inf"}, "kappa=.inf: Input should be a finite number"),
        ("linucb", {"ridge": "0"}, "ridge=0: Input should be greater than 0"),
        ("linucb", {"alpha": "nan"}, "alpha=nan: Input should be a finite number"),
        ("ucb1", {"discount": "much"}, "discount=much: Input should be a valid number"),
        ("tuned-index", {"members": "1"}, "members=1: Input should be greater than or equal to 2"),
        ("tuned-index", {"generations": "3"}, "tuned-index takes generations from the budget; it has members, "),
        ("tuned-index", {"episodes": "0"}, "episodes=0: Input should be greater than or equal to 1"),
        ("tuned-index", {"elite": ".nan"}, "elite=.nan: Input should be a finite number"),
        ("tuned-index", {"smoothing": "1.5"}, "smoothing=1.5: Input should be less than or equal to 1"),
        ("ucb-coma", {"positions": "false", "orders": "false"}, "with neither positions nor orders there is nothing"),
        ("coma-entropy", {"c": "5"}, "c=5 would change nothing: exploration is entropy"),
        ("coma-entropy", {"exploring": "0.2"}, "exploring=0.2 would change nothing: exploration is entropy"),
        ("coma-epsilon", {"discount": "1"}, "discount=1 would change nothing: exploration is epsilon"),
        ("ucb-coma", {"epsilon": "0.9"}, "epsilon=0.9 would change nothing: exploration is ucb"),
        ("ucb-coma", {"selection": "none", "c": "2"}, "c=2 would change nothing: selection is none"),
        ("ucb-coma", {"orders": "false", "kappa_order": "1"}, "kappa_order=1 would change nothing: orders is false"),
        ("ucb-coma", {"residual": "false", "optimism": "0.4"}, "optimism=0.4 would change nothing: residual is false"),
    ],
)
def test_a_setting_that_is_wrong_is_told(name: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        SCHEMES[name].changed(given)


def test_settings_are_read_as_typed() -> None:
    changed = SCHEMES["dqn"].changed({"hidden": "[8, 4]", "rate": "1e-4", "updates": "7", "exploring": "1"})
    settings = changed.settings
    assert (settings.hidden, settings.rate, settings.updates, settings.exploring) == ((8, 4), 1e-4, 7, 1.0)
