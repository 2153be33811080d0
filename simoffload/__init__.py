"""simoffload: a discrete-event simulator of LLM inference placed between factory edge and cloud."""

from __future__ import annotations

__version__ = "0.1.0"
