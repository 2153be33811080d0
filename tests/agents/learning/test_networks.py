"""The scorer in torch and the softmax within decisions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.learning.networks import Scorer, log_softmax_by

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**31), scale=st.sampled_from([0.1, 1.0, 100.0]))
def test_each_decision_has_the_log_softmax_of_its_own_rows_and_its_gradient(
    sizes: list[int], seed: int, scale: float
) -> None:
    torch.manual_seed(seed)
    logits = (torch.randn(sum(sizes)) * scale).requires_grad_()
    weight = torch.randn(sum(sizes))
    decision = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    found = log_softmax_by(logits, decision, len(sizes))
    expected = torch.cat([torch.log_softmax(part, 0) for part in torch.split(logits, sizes)])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    (gradient,) = torch.autograd.grad((found * weight).sum(), logits)
    (wanted,) = torch.autograd.grad((expected * weight).sum(), logits)
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**31))
def test_rows_need_not_stand_decision_by_decision(sizes: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    logits, mixed = torch.randn(sum(sizes)), torch.randperm(sum(sizes))
    decision = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    found = log_softmax_by(logits[mixed], decision[mixed], len(sizes))
    torch.testing.assert_close(found, log_softmax_by(logits, decision, len(sizes))[mixed])


def test_huge_logits_overflow_nothing() -> None:
    found = log_softmax_by(torch.tensor([1e30, 0.0, -1e30, 5.0]), torch.tensor([0, 0, 1, 1]), 2)
    assert found.tolist() == pytest.approx([0.0, -1e30, -1e30, 0.0])


def test_standardised_columns_have_mean_0_and_spread_1_except_those_that_hardly_vary() -> None:
    torch.manual_seed(1)
    rows = torch.randn(200, 3) * torch.tensor([5.0, 0.1, 0.0]) + torch.tensor([2.0, -1.0, 7.0])
    scorer = Scorer(3, (4,), zero_last=True)
    scorer.standardise(rows)
    seen = (rows - scorer.mean) / scorer.scale
    torch.testing.assert_close(seen.mean(0), torch.zeros(3), rtol=0, atol=1e-4)
    assert seen.std(0).tolist() == pytest.approx([1.0, 1.0, 0.0], abs=1e-3)
    assert scorer.scale[2] == 1.0


def test_a_scorer_with_a_last_layer_of_0_says_0_and_can_learn_to_say_more() -> None:
    torch.manual_seed(1)
    rows = torch.randn(9, 3)
    scorer = Scorer(3, (4,), zero_last=True)
    assert scorer(rows).tolist() == [0.0] * 9
    torch.autograd.backward(scorer(rows).sum())
    assert scorer.layers[-1].weight.grad.abs().sum() > 0  # type: ignore[union-attr, operator]
