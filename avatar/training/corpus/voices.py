"""The voices that speak the corpus, and which of them training never hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from avatar.training.corpus.phones import Phone

Split = Literal["train", "validation", "held_out"]


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a speech engine.

    Attributes:
        engine: ``piper``, ``flite``, ``festival`` or ``espeak``.
        name: The engine's own name of the voice.
        language: ISO 639-1 code of the text that it reads.
        share: Relative number of clips it speaks.
        held_out: Never trained on: it is kept for evaluation.
        for_contacts: Reads the lines with most /f v/, which lists of names seldom have.
    """

    engine: str
    name: str
    language: str
    share: float = 1.0
    held_out: bool = False
    for_contacts: bool = False

    @property
    def label(self) -> str:
        """A name unique among all voices."""
        return f"{self.engine}:{self.name}"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A spoken text.

    Attributes:
        samples: float32 (n_samples,) at 16 kHz.
        phones: Consecutive phones from the first sample to the last.
    """

    samples: NDArray[np.float32] = field(repr=False)
    phones: tuple[Phone, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / 16_000


_FURTHER: Final = tuple(
    Voice("espeak", name, language, share, for_contacts=True)
    for language, share, names in (
        ("it", 0.6, "it+f2 it+m5 it+klatt2"),
        ("fi", 0.6, "fi+f3 fi+m2 fi+klatt4"),
        ("pl", 0.25, "cs+f3 sk+m8 hr+f1 lt+m2"),
        ("nl", 0.25, "nl+m7 nl+f2 af+m7"),
        ("pt", 0.25, "pt+f1 ro+m2"),
        ("de", 0.25, "de+klatt3 da+m3"),
        ("sv", 0.25, "sv+f2 nb+f4"),
        ("hu", 0.25, "hu+m1 et+f5"),
        ("tr", 0.25, "tr+m6 sq+m5"),
        ("es", 0.25, "es+m3 ca+m4"),
        ("fr", 0.25, "fr+f5"),
        ("ru", 0.25, "ru+f4"),
    )
    for name in names.split()
)
"""Further voices of espeak-ng, for contacts of the lips in many languages; some read a neighbour's text."""

_DIPHONES: Final = tuple(
    Voice("festival", name, language, share, for_contacts=True)
    for name, language, share in (
        ("pc_diphone", "it", 2.5),
        ("hy_fi_mv_diphone", "fi", 2.5),
        ("czech_dita", "cs", 1.0),
        ("czech_krb", "cs", 1.0),
        ("czech_machac", "cs", 1.0),
        ("czech_ph", "cs", 1.0),
        ("hindi_NSK_diphone", "hi", 0.8),
        ("marathi_NSK_diphone", "mr", 0.8),
        ("telugu_NSK_diphone", "te", 0.8),
    )
)
"""Festival's diphone voices that are not held out: other speakers on the engine of those that are."""

VOICES: Final[tuple[Voice, ...]] = (
    Voice("piper", "en_US-joe-medium", "en", share=6.0),
    Voice("flite", "slt", "en", share=2.5),
    Voice("flite", "rms", "en", share=2.5),
    Voice("flite", "awb", "en", share=2.5),
    Voice("festival", "cmu_us_slt_arctic_hts", "en", share=2.0),
    Voice("festival", "upc_ca_ona_hts", "ca", share=1.5),
    Voice("festival", "msu_ru_nsh_clunits", "ru", share=1.0),
    Voice("espeak", "en-us+f2", "en", share=0.7),
    Voice("espeak", "en-gb-x-rp+m3", "en", share=0.7),
    Voice("espeak", "de+f4", "de", share=0.5),
    Voice("espeak", "fr+m1", "fr", share=0.5),
    Voice("espeak", "es+f3", "es", share=0.5),
    Voice("espeak", "pl+m7", "pl", share=0.5),
    Voice("espeak", "tr+f1", "tr", share=0.5),
    Voice("espeak", "pt-br+m5", "pt", share=0.4),
    Voice("espeak", "hu+f5", "hu", share=0.4),
    Voice("espeak", "hi+m2", "hi", share=0.4),
    Voice("espeak", "id+m4", "id", share=0.4),
    Voice("espeak", "sv+m6", "sv", share=0.4),
    *_FURTHER,
    *_DIPHONES,
    Voice("festival", "kal_diphone", "en", held_out=True),
    Voice("festival", "ked_diphone", "en", held_out=True),
    Voice("festival", "lp_diphone", "it", held_out=True),
    Voice("festival", "suo_fi_lj_diphone", "fi", held_out=True),
)
"""Four of festival's diphone voices are kept out of training; their engine is heard there, from other speakers."""
