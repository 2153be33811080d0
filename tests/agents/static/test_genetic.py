"""The genetic algorithm: legal schedules, never worse than it began with, and on tiny instances the optimum."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.static import Instance, Search, cpop, genetic, heft, peft
from simoffload.agents.static.genetic import SEEDS, Chromosome, _Breeder, build, read_schedule
from tests.agents.static.graphs import ARABNEJAD, TOPCUOGLU, instances, optimum

SHORT = Search(generations=6, population=8)
SEED = st.integers(0, 2**32 - 1)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def is_legal(instance: Instance, chromosome: Chromosome) -> bool:
    place = {task: k for k, task in enumerate(chromosome.order)}
    return (
        sorted(chromosome.order) == list(range(len(instance)))
        and all(place[source] < place[target] for source, target, _ in instance.arcs)
        and all(math.isfinite(row[p]) for row, p in zip(instance.cost, chromosome.processor, strict=True))
    )


@settings(max_examples=40)
@given(instance=instances(), seed=SEED)
def test_schedules_are_legal_and_no_longer_than_those_of_the_list_schedulers(instance: Instance, seed: int) -> None:
    found = genetic(instance, generator(seed), SHORT)
    found.check()
    assert found.makespan <= min(scheduler(instance).makespan for scheduler in (heft, cpop, peft))


@settings(max_examples=25)
@given(instance=instances(tasks=4, processors=2), seed=SEED)
def test_on_a_tiny_instance_the_optimum_is_found(instance: Instance, seed: int) -> None:
    best = optimum(instance)
    found = genetic(instance, generator(seed), Search(generations=40, population=24)).makespan
    assert best * (1 - 1e-12) <= found <= best * (1 + 1e-12)


def test_a_schedule_that_no_list_scheduler_finds_is_found() -> None:
    assert [scheduler(TOPCUOGLU).makespan for scheduler in SEEDS] == [80, 86, 85]
    assert genetic(TOPCUOGLU, generator()).makespan == 76


@settings(max_examples=20)
@given(instance=instances(), seed=SEED)
def test_the_same_seed_gives_the_same_schedule(instance: Instance, seed: int) -> None:
    assert genetic(instance, generator(seed), SHORT) == genetic(instance, generator(seed), SHORT)


def test_another_seed_searches_elsewhere() -> None:
    ends = {genetic(TOPCUOGLU, generator(seed), SHORT).start for seed in range(6)}
    assert len(ends) > 1


def test_searching_on_never_makes_it_worse() -> None:
    spans = [genetic(ARABNEJAD, generator(3), replace(SHORT, generations=g)).makespan for g in (0, 2, 5, 20, 60)]
    assert spans == sorted(spans, reverse=True)
    assert spans[-1] < spans[0]


def test_without_generations_it_is_the_best_of_the_first() -> None:
    first = genetic(TOPCUOGLU, generator(), Search(generations=0, population=len(SEEDS)))
    assert first.makespan == min(scheduler(TOPCUOGLU).makespan for scheduler in SEEDS)


@pytest.mark.parametrize("scheduler", SEEDS)
@settings(max_examples=40)
@given(instance=instances())
def test_a_schedule_read_as_a_chromosome_is_built_again_no_longer(scheduler, instance: Instance) -> None:  # type: ignore[no-untyped-def]
    schedule = scheduler(instance)
    chromosome = read_schedule(schedule)
    assert is_legal(instance, chromosome)
    assert chromosome.processor == schedule.processor
    assert build(instance, chromosome).makespan <= schedule.makespan * (1 + 1e-12)


@settings(max_examples=60)
@given(instance=instances(), seed=SEED)
def test_whatever_is_bred_is_legal(instance: Instance, seed: int) -> None:
    breeder = _Breeder(instance, generator(seed), Search(moved=3.0))
    mother, father = breeder.random(), breeder.random()
    assert is_legal(instance, mother)
    assert is_legal(instance, breeder._crossed(mother, father))
    assert is_legal(instance, breeder._mutated(mother))


@settings(max_examples=60)
@given(instance=instances(), seed=SEED)
def test_a_child_has_every_processor_from_its_mother_or_its_father(instance: Instance, seed: int) -> None:
    breeder = _Breeder(instance, generator(seed), SHORT)
    mother, father = breeder.random(), breeder.random()
    child = breeder._crossed(mother, father)
    assert all(own in pair for own, *pair in zip(child.processor, mother.processor, father.processor, strict=True))
    assert breeder._crossed(mother, mother) == mother


def test_a_winner_is_the_best_of_those_drawn() -> None:
    ranked = [(float(k), Chromosome((k,), (0,))) for k in range(10)]
    instance = Instance(((1.0,),))
    one = [_Breeder(instance, generator(s), replace(SHORT, tournament=1))._winner(ranked).order[0] for s in range(300)]
    many = [_Breeder(instance, generator(s), replace(SHORT, tournament=4))._winner(ranked).order[0] for s in range(300)]
    # means of the least of k uniform draws from 0..9: 4.5 for one, (9^4 + ... + 1^4)/10^4 = 1.53 for four
    assert np.mean(one) == pytest.approx(4.5, abs=4 * 2.87 / 300**0.5)
    assert np.mean(many) == pytest.approx(1.5333, abs=4 * 1.6 / 300**0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generations": -1}, "generations of at least 0"),
        ({"elite": 0}, "1 to `population` elite"),
        ({"elite": 41}, "1 to `population` elite"),
        ({"tournament": 0}, "tournaments of at least 1"),
        ({"population": 2}, "holds at least 3"),
        ({"crossover": 1.5}, "a chance between 0 and 1"),
        ({"moved": math.inf}, "a number of tasks"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Search(**changes)  # type: ignore[arg-type]
