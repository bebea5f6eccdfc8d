"""How the avatar carries itself: the section `motion` of the configuration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.options import Strict
from agent.sentiment import feeling
from avatar.motion.types import Controls
from avatar.types import Emotion  # noqa: TC001 - pydantic reads the annotation at run time

if TYPE_CHECKING:
    from collections.abc import Callable

    from avatar.stream import MotionStream
    from avatar.types import Cue

Share = Annotated[float, Field(ge=0, le=1)]
Amplitude = Annotated[float, Field(ge=0, le=2)]
Direction = Annotated[float, Field(ge=-1, le=1)]


class MotionConfig(Strict):
    """How large, how lively and in which mood the face moves.

    Attributes:
        lip_amplitude: 1 is natural, 0.5 quiet, 1.5 emphatic.
        head_amplitude: 1 is natural, 0 still.
        energy: How lively head, brows and emotions are; 1 is natural.
        gaze: Where the eyes rest: right and up on the picture, each in [-1, 1]; 0, 0 is at the viewer.
        mood: The emotions that the face has by itself, each with its intensity in [0, 1].
        directions: Whether the language model is taught stage directions; null teaches all but the embedded one, which
            is too small to keep to them.
        sentiment: Intensity of the emotion of sentences without directions; 0 leaves them to the mood.
    """

    lip_amplitude: Annotated[float, Field(ge=0.3, le=2)] = 1.0
    head_amplitude: Amplitude = 1.0
    energy: Amplitude = 1.0
    gaze: tuple[Direction, Direction] = (0.0, 0.0)
    mood: dict[Emotion, Share] = Field(default_factory=dict)
    directions: bool | None = None
    sentiment: Share = 0.5

    def set_on(self, stream: MotionStream) -> None:
        """Has a stream move so."""
        stream.set_controls(Controls(self.lip_amplitude, self.head_amplitude, self.gaze, self.energy))
        stream.set_mood(self.mood)

    def feel(self) -> Callable[[str], Cue] | None:
        """Returns what finds the emotion of a sentence, or None if nothing shall."""
        return partial(feeling, intensity=self.sentiment) if self.sentiment else None
