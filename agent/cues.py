"""When each stage direction is due in the sound of the words.

A voice reads words and makes sound; `CueTimer` stands on both of its sides. On the way in it takes the directions out
and counts the letters before each; on the way out it finds the moment of that letter, from the times that the voice
tells with its sound (livekit's `TimedString`), or from how fast people speak, and puts the cue on that frame.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Final

from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.utils import is_given

from agent.answer import ends_surely, split_sentences
from agent.directions import DirectionParser
from avatar.types import Cue

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

CUES: Final = "visavis.cues"
"""Where a frame of speech keeps its cues: each with its sample in the frame, as `avatar.types.AudioChunk.cues`."""

_LETTERS_PER_SECOND: Final = 13.0
"""Letters and digits of English at an easy pace."""


async def without_directions(text: AsyncIterable[str]) -> AsyncIterator[str]:
    """Yields text without its stage directions; pieces that have none are passed on as they are, times and all."""
    parser = DirectionParser()
    async for piece in text:
        left = [part for part in parser.feed(piece) if isinstance(part, str)]
        if left == [piece]:
            yield piece
        elif left:
            yield "".join(left)
    if left := [part for part in parser.finish() if isinstance(part, str)]:
        yield "".join(left)


class CueTimer:
    """The cues of one reply, from its words to its sound.

    Args:
        feel: Returns the emotion of a sentence, used where no direction names one; None leaves it out.
    """

    def __init__(self, feel: Callable[[str], Cue] | None) -> None:
        self._feel = feel
        self._parser = DirectionParser()
        self._n_read = 0
        self._sentence = ""
        self._sentence_start = 0
        self._directed = False
        self._order = 0
        self._due: list[tuple[int, int, Cue]] = []  # letters before it, order of writing
        self._letters = [0]
        self._times = [0.0]
        self._n_timed = 0
        self._heard = 0.0

    async def words(self, text: AsyncIterable[str]) -> AsyncIterator[str]:
        """Yields what is to be said of a text, piece by piece as it comes."""
        async for piece in text:
            if words := self._read(self._parser.feed(piece)):
                yield words
        if words := self._read(self._parser.finish()):
            yield words
        self._end_sentence(self._sentence)

    async def sound(self, frames: AsyncIterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
        """Yields the speech of those words, with the cues in its frames' `userdata`."""
        rate = 0
        async for frame in frames:
            rate = frame.sample_rate
            self._learn(frame.userdata.get(USERDATA_TIMED_TRANSCRIPT) or ())
            if cues := self._take(self._heard + frame.duration, frame):
                frame.userdata[CUES] = cues
            self._heard += frame.duration
            yield frame
        if self._due and rate:
            last = rtc.AudioFrame.create(rate, 1, rate // 100)
            last.userdata[CUES] = tuple((0, cue) for _, _, cue in self._due)
            self._due.clear()
            yield last

    def _read(self, pieces: list[str | Cue]) -> str:
        words = ""
        for piece in pieces:
            if isinstance(piece, Cue):
                self._directed |= piece.emotion is not None
                self._add(self._n_read, piece)
                continue
            words += piece
            self._n_read += _letters(piece)
            sentences, self._sentence = split_sentences(self._sentence + piece)
            if ends_surely(self._sentence):
                sentences, self._sentence = [*sentences, self._sentence], ""
            for sentence in sentences:
                self._end_sentence(sentence)
        return words

    def _end_sentence(self, sentence: str) -> None:
        """Feels a sentence, unless its writer says what to feel, from then on."""
        n_letters = _letters(sentence)
        if self._feel is not None and not self._directed and n_letters:
            self._add(self._sentence_start, self._feel(sentence))
        self._sentence_start += n_letters

    def _add(self, n_letters: int, cue: Cue) -> None:
        self._order += 1
        insort(self._due, (n_letters, self._order, cue))

    def _learn(self, timed: list[TimedString] | tuple[()]) -> None:
        for text in timed:
            n_letters = _letters(text)
            if is_given(text.start_time):
                self._anchor(self._n_timed, text.start_time)
            self._n_timed += n_letters
            if is_given(text.end_time):
                self._anchor(self._n_timed, text.end_time)

    def _anchor(self, n_letters: int, moment: float) -> None:
        if n_letters == self._letters[-1]:
            self._times[-1] = moment  # where one word ends and the next begins, the beginning counts
        elif n_letters > self._letters[-1]:
            self._letters.append(n_letters)
            self._times.append(max(moment, self._times[-1]))

    def _moment(self, n_letters: int) -> float:
        """Returns the seconds of sound before a letter."""
        place = bisect_right(self._letters, n_letters) - 1
        letters, moment = self._letters[place], self._times[place]
        if place + 1 < len(self._letters):
            share = (n_letters - letters) / (self._letters[place + 1] - letters)
            return moment + share * (self._times[place + 1] - moment)
        return moment + (n_letters - letters) / _LETTERS_PER_SECOND

    def _take(self, until: float, frame: rtc.AudioFrame) -> tuple[tuple[int, Cue], ...]:
        """Returns the cues that are due before a moment, each with its sample in the frame."""
        taken: list[tuple[int, Cue]] = []
        last = frame.samples_per_channel - 1
        while self._due and (moment := self._moment(self._due[0][0])) < until:
            sample = round((moment - self._heard) * frame.sample_rate)
            taken.append((min(max(sample, 0), last), self._due.pop(0)[2]))
        return tuple(taken)


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
