"""The voices and personas that a page can choose from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.config import DEFAULT_PERSONA, with_voice
from agent.options import HEART
from agent.persona import load_persona
from agent.web.conversation import Option
from avatar.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.config import Config, PartConfig
    from avatar.portrait.folder import AvatarFolder

JOE: Final = "joe"
CONFIGURED: Final = "configured"
"""The voice or the persona that the configuration names, where it has no name of its own here."""


class Cast:
    """What avatars can sound like, and who they can be; the configuration's own come first.

    Args:
        config: Names the first voice and the first persona.
        avatars: May bring a voice and a persona each.

    Attributes:
        voices: What can be chosen.
        personas: What can be chosen.

    Raises:
        InputError: The configured persona can't be used.
    """

    def __init__(self, config: Config, avatars: Iterable[AvatarFolder]) -> None:
        first, label = _configured_voice(config.tts)
        self._voices: dict[str, PartConfig] = {first: config.tts}
        self.voices = [Option(first, label)]
        self._personas: dict[str, Path] = {}
        self.personas: list[Option] = []
        self._brought: dict[str, tuple[str, str]] = {}
        for voice in (HEART, JOE):
            self._add_voice(voice, voice.capitalize(), with_voice(config.tts, voice))
        self._add_persona(_plain_id(config.persona) or CONFIGURED, config.persona)
        for folder in dict.fromkeys((config.persona.parent, DEFAULT_PERSONA.parent)):
            for path in sorted(folder.glob("*.md")):
                if path not in self._personas.values():
                    self._try_persona(path.stem, path)
        for avatar in avatars:
            self._brought[avatar.name] = (self._voice_of(avatar, config.tts), self._persona_of(avatar))

    def voice(self, name: str) -> PartConfig:
        """Returns a voice's text to speech."""
        return self._voices[name]

    def persona(self, name: str) -> Path:
        """Returns a persona's file."""
        return self._personas[name]

    def brought_by(self, avatar: str) -> tuple[str, str]:
        """Returns the voice and the persona that an avatar brings with it, each an identifier or empty."""
        return self._brought.get(avatar, ("", ""))

    def _voice_of(self, avatar: AvatarFolder, tts: PartConfig) -> str:
        if not avatar.voice or avatar.voice in self._voices:
            return avatar.voice
        name = f"{avatar.name}.voice"
        return self._add_voice(name, f"{_titled(avatar.name)}'s own", with_voice(tts, avatar.voice))

    def _persona_of(self, avatar: AvatarFolder) -> str:
        if avatar.persona is None:
            return ""
        known = [name for name, path in self._personas.items() if path == avatar.persona]
        return known[0] if known else self._try_persona(f"{avatar.name}.persona", avatar.persona)

    def _add_voice(self, name: str, label: str, part: PartConfig) -> str:
        if name not in self._voices:
            self._voices[name] = part
            self.voices.append(Option(name, label))
        return name

    def _add_persona(self, name: str, path: Path) -> str:
        label = load_persona(path).name
        while name in self._personas:
            name += "-"
        self._personas[name] = path
        self.personas.append(Option(name, label))
        return name

    def _try_persona(self, name: str, path: Path) -> str:
        try:
            return self._add_persona(name, path)
        except InputError:
            return ""  # a broken one is told when it is named


def _configured_voice(tts: PartConfig) -> tuple[str, str]:
    if tts.name == "hibari":
        return HEART, HEART.capitalize()
    if tts.name == "piper" and tts.args.get("voice", JOE) == JOE:
        return JOE, JOE.capitalize()
    spoken = Path(str(tts.args.get("voice") or tts.args.get("speaker") or tts.args.get("model") or tts.name))
    return CONFIGURED, _titled(spoken.name.removesuffix(".onnx"))


def _plain_id(persona: Path) -> str:
    return "" if persona.name == "persona.md" else persona.stem


def _titled(name: str) -> str:
    return name.replace("_", " ").capitalize()
