"""The scorer in torch and the softmax within decisions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.learning.networks import (
    Scorer,
    best_by,
    clipped,
    descend,
    log_mixture_by,
    log_softmax_by,
    pooled_by,
    slow_down,
)
from simoffload.agents.scoring import NEVER

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@settings(max_examples=40)
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


@settings(max_examples=25)
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


@settings(max_examples=25)
@given(sizes=SIZES, seed=st.integers(0, 2**31), epsilon=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_the_mixture_has_a_floor_of_uniform_choice_and_its_own_gradient(
    sizes: list[int], seed: int, epsilon: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(sum(sizes), generator=generator).requires_grad_()
    weight = torch.randn(sum(sizes), generator=generator)
    decision = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))

    def mixture(rows: torch.Tensor) -> torch.Tensor:
        plain = torch.cat([torch.softmax(part, 0) for part in torch.split(rows, sizes)])
        return ((1 - epsilon) * plain + epsilon / torch.tensor(sizes)[decision]).log()

    found = log_mixture_by(logits, decision, len(sizes), epsilon)
    torch.testing.assert_close(found, mixture(logits), rtol=1e-5, atol=1e-5)
    (gradient,) = torch.autograd.grad((found * weight).sum(), logits)
    wide, step = logits.detach().double(), 1e-5
    for row in range(len(wide)):
        shift = torch.zeros_like(wide)
        shift[row] = step
        slope = ((mixture(wide + shift) - mixture(wide - shift)) * weight).sum() / (2 * step)
        assert float(gradient[row]) == pytest.approx(float(slope), abs=1e-4)


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_the_floor_is_shared_by_the_rows_that_may_be_taken_alone(epsilon: float) -> None:
    whole = torch.tensor([1.0, NEVER, 0.5, NEVER, 2.0, -1.0]).requires_grad_()
    decision = torch.tensor([0, 0, 0, 1, 1, 1])
    found = log_mixture_by(whole, decision, 2, epsilon)
    kept = torch.tensor([0, 2, 4, 5])
    expected = log_mixture_by(whole[kept], decision[kept], 2, epsilon)
    torch.testing.assert_close(found[kept], expected)
    assert found[[1, 3]].exp().tolist() == [0.0, 0.0]
    (gradient,) = torch.autograd.grad(found[kept].sum(), whole)
    (wanted,) = torch.autograd.grad(expected.sum(), whole)
    torch.testing.assert_close(gradient, wanted)


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


@settings(max_examples=25)
@given(sizes=SIZES, seed=st.integers(0, 2**31))
def test_pooled_rows_are_means_then_maxima_and_the_best_is_the_first_of_the_largest(
    sizes: list[int], seed: int
) -> None:
    rows = torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(seed)).round(decimals=1) - 2.0
    decision = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    parts = torch.split(rows, sizes)
    expected = torch.stack([torch.cat([part.mean(0), part.amax(0)]) for part in parts])
    torch.testing.assert_close(pooled_by(rows, decision, len(sizes)), expected)
    first = torch.cumsum(torch.tensor(sizes), 0) - torch.tensor(sizes)
    best = [
        int(start) + part[:, 0].tolist().index(float(part[:, 0].max()))
        for start, part in zip(first, parts, strict=True)
    ]
    assert best_by(rows[:, 0], decision, len(sizes)).tolist() == best


@pytest.mark.parametrize(
    ("change", "weight", "gain", "slope"),
    [(0.0, 2.0, 2.0, 2.0), (1.0, 2.0, 2.4, 0.0), (-1.0, -2.0, -1.6, 0.0), (1.0, -2.0, -5.436564, -5.436564)],
)
def test_beyond_the_clip_nothing_more_is_earned(change: float, weight: float, gain: float, slope: float) -> None:
    moved = torch.tensor([change], requires_grad=True)
    found = clipped(moved, torch.tensor([weight]), 0.2)
    (gradient,) = torch.autograd.grad(found.sum(), moved)
    assert (found.item(), gradient.item()) == (pytest.approx(gain, rel=1e-5), pytest.approx(slope, rel=1e-5))


def test_a_step_of_learning_is_slower_and_slower_and_no_longer_than_allowed() -> None:
    layer = torch.nn.Linear(2, 1, bias=False)
    steps = torch.optim.SGD(layer.parameters(), 1.0)
    for progress, rate in ((0.0, 0.5), (0.5, 0.25), (1.0, 0.025)):
        slow_down(steps, 0.5, progress)
        before = layer.weight.detach().clone()
        descend(100 * layer(torch.tensor([3.0, 4.0])).sum(), layer, steps, largest_gradient=2.0)
        expected = before - rate * 2.0 * torch.tensor([[0.6, 0.8]])
        torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-4, atol=1e-5)
