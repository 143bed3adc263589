"""What all answers have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Anything that the server answers."""

    model_config = ConfigDict(extra="allow")
