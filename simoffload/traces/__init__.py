"""Traces: requests that were served somewhere and rates that a link once had, read from files in published layouts.

`read_requests` and `read_rates` take a file and find out its format, or are told it; what a file holds that cannot be
is a `TraceError` with its line. The package brings no data of others along: they stay where they were published.
"""

from __future__ import annotations

from .formats import (
    RATE_FORMATS,
    REQUEST_FORMATS,
    RateFormat,
    RequestFormat,
    detect_format,
)
from .lines import Skipped, TraceError
from .rates import Direction, Rates, read_rates
from .request_files import read_requests
from .requests import Requests

__all__ = [
    "RATE_FORMATS",
    "REQUEST_FORMATS",
    "Direction",
    "RateFormat",
    "Rates",
    "RequestFormat",
    "Requests",
    "Skipped",
    "TraceError",
    "detect_format",
    "read_rates",
    "read_requests",
]
