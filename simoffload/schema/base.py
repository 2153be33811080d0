"""What every part of a scenario shares: frozen models that refuse unknown keys, names, modalities, stages."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
"""An identifier: letters, digits, dots, dashes and underscores, at most 80 characters."""

Modality = Literal["text", "image", "audio", "sensor"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
"""Modalities in the order in which the simulator numbers them; text, number 0, is what later stages speak."""

STAGES = ("explain", "analyze", "generate")
"""The three stages of a task, first to last. Only the first one reads raw payloads; the others read text."""


class Frozen(BaseModel):
    """A part of a scenario: immutable once read, and strict about keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
