"""Scenarios: YAML files that say everything one run depends on, besides the agent.

`load_scenario` reads one, by path or by the name of one that comes with the package, and returns it with every number
in SI units, or raises `ScenarioError` with everything that is wrong and where. The models of this package say what a
scenario holds; its `json_schema` says the same to editors.
"""

from __future__ import annotations

from .base import MODALITIES, STAGES
from .bundled import bundled_catalogue, bundled_scenarios, whole_catalogue
from .jsonschema import json_schema
from .loading import (
    Diagnosis,
    diagnose,
    diagnose_text,
    load_scenario,
    load_scenario_text,
)
from .problems import Problem, ScenarioError
from .scenario import Catalogue, Scenario
from .writing import dump_scenario

__all__ = [
    "MODALITIES",
    "STAGES",
    "Catalogue",
    "Diagnosis",
    "Problem",
    "Scenario",
    "ScenarioError",
    "bundled_catalogue",
    "bundled_scenarios",
    "diagnose",
    "diagnose_text",
    "dump_scenario",
    "json_schema",
    "load_scenario",
    "load_scenario_text",
    "whole_catalogue",
]
