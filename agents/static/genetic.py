"""A genetic algorithm for a static schedule: what searching for a while finds beyond the list schedulers.

A chromosome is an order of the tasks, a permutation that keeps precedence, and a processor per task; it is read by
placing the tasks in that order at their earliest start. The search begins with the HEFT, CPOP and PEFT schedules among
random ones and carries the best over, so that it never ends with worse.

Task orders as chromosomes, crossover and mutation that keep precedence, list schedules in the first generation:
Y. Xu, K. Li, J. Hu, K. Li, "A genetic algorithm for task scheduling on heterogeneous computing systems using multiple
priority queues", Information Sciences 270, 2014, doi:10.1016/j.ins.2014.02.122. There a task goes where it finishes
first; here its processor is part of the chromosome, so that any schedule without needless idling can be found.
Tournaments: D. E. Goldberg, "Genetic Algorithms in Search, Optimization, and Machine Learning", Addison-Wesley 1989.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .cpop import cpop
from .heft import heft
from .instance import Instance
from .peft import peft
from .ready import by_priority
from .schedule import Plan, Schedule

SEEDS = (heft, cpop, peft)
"""Schedulers whose schedules are in the first generation."""


@dataclass(frozen=True, slots=True)
class Search:
    """How long and how widely is searched."""

    generations: int = 100
    population: int = 40
    elite: int = 2
    """Best schedules that a generation takes over unchanged."""
    tournament: int = 3
    """How many are drawn for each parent, of which the best is it."""
    crossover: float = 0.9
    """Chance that a child has two parents."""
    moved: float = 1.0
    """Tasks of a child that get another place in the order, and as many another processor, on average."""

    def __post_init__(self) -> None:
        if self.generations < 0 or not 1 <= self.elite <= self.population or self.tournament < 1:
            raise ValueError("give generations of at least 0, tournaments of at least 1, and 1 to `population` elite")
        if self.population < len(SEEDS):
            raise ValueError(f"a population holds at least {len(SEEDS)}")
        if not (0 <= self.crossover <= 1 and 0 <= self.moved < math.inf):
            raise ValueError("crossover is a chance between 0 and 1, moved a number of tasks of at least 0")


@dataclass(frozen=True, slots=True)
class Chromosome:
    """An order of all tasks, each after its predecessors, and per task a processor that can run it."""

    order: tuple[int, ...]
    processor: tuple[int, ...]


def genetic(instance: Instance, generator: np.random.Generator, search: Search | None = None) -> Schedule:
    """The best schedule found, checked; equal generators give equal schedules, none longer than those of `SEEDS`."""
    settings = search or Search()
    breeder = _Breeder(instance, generator, settings)
    population = [read_schedule(scheduler(instance)) for scheduler in SEEDS]
    population += [breeder.random() for _ in range(settings.population - len(population))]
    ranked = _ranked(instance, population)
    for _ in range(settings.generations):
        children = [breeder.child(ranked) for _ in range(settings.population - settings.elite)]
        ranked = sorted(ranked[: settings.elite] + _ranked(instance, children), key=_makespan)
    best = build(instance, ranked[0][1])
    best.check()
    return best


def build(instance: Instance, chromosome: Chromosome) -> Schedule:
    """The schedule that a chromosome stands for."""
    plan = Plan(instance)
    for task in chromosome.order:
        plan.place(task, chromosome.processor[task])
    return plan.schedule()


def read_schedule(schedule: Schedule) -> Chromosome:
    """A chromosome that stands for a schedule at least as good: its tasks by start, on their processors."""
    instance = schedule.instance
    starts = [-start for start in schedule.start]
    return Chromosome(tuple(by_priority(instance, starts)), schedule.processor)


_Ranked = tuple[float, Chromosome]


def _makespan(ranked: _Ranked) -> float:
    return ranked[0]


def _ranked(instance: Instance, population: list[Chromosome]) -> list[_Ranked]:
    return sorted(((build(instance, each).makespan, each) for each in population), key=_makespan)


class _Breeder:
    """Makes chromosomes, at random or of others."""

    def __init__(self, instance: Instance, generator: np.random.Generator, search: Search) -> None:
        self._instance = instance
        self._generator = generator
        self._search = search
        self._able = [[p for p, cost in enumerate(row) if math.isfinite(cost)] for row in instance.cost]

    def random(self) -> Chromosome:
        """Tasks by random priorities, on random processors."""
        priority = self._generator.random(len(self._instance)).tolist()
        processor = tuple(self._any_processor(task) for task in range(len(self._instance)))
        return Chromosome(tuple(by_priority(self._instance, priority)), processor)

    def child(self, ranked: list[_Ranked]) -> Chromosome:
        """A child of winners of tournaments, mutated."""
        mother = self._winner(ranked)
        if self._generator.random() < self._search.crossover:
            return self._mutated(self._crossed(mother, self._winner(ranked)))
        return self._mutated(mother)

    def _winner(self, ranked: list[_Ranked]) -> Chromosome:
        """The best of some drawn at random; `ranked` has the best first."""
        return ranked[int(self._generator.integers(len(ranked), size=self._search.tournament).min())][1]

    def _crossed(self, mother: Chromosome, father: Chromosome) -> Chromosome:
        """The mother's order up to a cut and the rest in the father's; each task's processor from either.

        Both orders keep precedence, so the child's does: what the father has before a task is before it or in the head.
        """
        count = len(mother.order)
        head = mother.order[: int(self._generator.integers(count + 1))]
        taken = set(head)
        order = head + tuple(task for task in father.order if task not in taken)
        coins = self._generator.random(count) < 0.5
        pairs = zip(coins.tolist(), mother.processor, father.processor, strict=True)
        return Chromosome(order, tuple(m if coin else f for coin, m, f in pairs))

    def _mutated(self, chromosome: Chromosome) -> Chromosome:
        """Some tasks moved between their last predecessor and first successor, and some to another processor."""
        count = len(self._instance)
        chance = self._search.moved / count
        order, processor = list(chromosome.order), list(chromosome.processor)
        for task in np.flatnonzero(self._generator.random(count) < chance).tolist():
            self._move(order, task)
        for task in np.flatnonzero(self._generator.random(count) < chance).tolist():
            processor[task] = self._any_processor(task)
        return Chromosome(tuple(order), tuple(processor))

    def _move(self, order: list[int], task: int) -> None:
        order.remove(task)
        place = {other: k for k, other in enumerate(order)}
        first = max((place[before] + 1 for before, _ in self._instance.predecessors[task]), default=0)
        last = min((place[after] for after, _ in self._instance.successors[task]), default=len(order))
        order.insert(int(self._generator.integers(first, last + 1)), task)

    def _any_processor(self, task: int) -> int:
        able = self._able[task]
        return able[int(self._generator.integers(len(able)))]
