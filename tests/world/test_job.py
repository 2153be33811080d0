"""A job knows the work it adds to a line and the memory that a batch sets aside for it."""

from __future__ import annotations

import math

from .stations import job_of, task_of


def test_the_work_of_a_job_is_what_was_expected_never_the_truth() -> None:
    assert job_of(5.0, expected_s=2.0).work == 2.0


def test_a_batch_reserves_for_the_longest_answer_there_may_be() -> None:
    assert job_of(task=task_of(max_output=100), prompt=30, output=7).reserved_tokens == 130


def test_instants_are_not_there_until_they_come() -> None:
    job = job_of()
    instants = job.entered_s, job.start_s, job.first_token_s, job.finish_s, job.expected_finish_s
    assert all(math.isnan(instant) for instant in instants)


def test_jobs_are_told_apart_even_if_all_about_them_is_the_same() -> None:
    task = task_of()
    assert len({job_of(task=task), job_of(task=task)}) == 2
