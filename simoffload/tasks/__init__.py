"""Tasks and their graphs: what a task is made of, the templates graphs are drawn from, graphs from files."""

from __future__ import annotations

from .graph import GraphError, TaskGraph, build_graph
from .imports import Hint, ImportedGraph, import_graph
from .task import Task

__all__ = ["GraphError", "Hint", "ImportedGraph", "Task", "TaskGraph", "build_graph", "import_graph"]
