from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.errors import InputError, ModelError
from avatar.training.corpus import speech, speech_espeak, speech_festival, speech_flite, speech_piper
from avatar.training.corpus.lip_targets import LIP_TARGETS
from avatar.training.corpus.phones import BILABIALS, PAUSE, PHONE_SETS
from avatar.training.corpus.voices import VOICES, Voice

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "A boy put the paper bag upon a table."


def names(phones) -> str:
    return "".join(phone.name for phone in phones)


def test_flites_durations_become_phones() -> None:
    phones = speech_flite.parse_durations("pau:0.245 ow:0.415 b:0.471 oy:0.778 pau:0.894 \n")
    assert names(phones) == "_oʊbɔɪ_"
    assert phones[3].start == pytest.approx(0.415)
    assert phones[-1].end == pytest.approx(0.894)


def test_festivals_segments_become_phones() -> None:
    labels = "#\n0.2200 100 pau\n0.3377 100 p\n0.4012 100 l\n0.5106 100 iy\n"
    phones = speech_festival.parse_segments(labels, "en")
    assert names(phones) == "_pli"
    assert phones[2].end == pytest.approx(0.4012)
    assert names(speech_festival.parse_segments("#\n0.1 100 #\n0.2 100 m:\n0.3 100 7\n", "fi")) == "_mæ"
    assert names(speech_festival.parse_segments("#\n0.1 100 #\n0.2 100 c~\n0.3 100 r~*\n0.4 100 i:\n", "cs")) == "_ʧri"
    assert (
        names(speech_festival.parse_segments("#\n0.1 100 pau\n0.2 100 ksh\n0.3 100 v\n0.4 100 aa\n", "hi")) == "_kʃʋa"
    )


def test_espeaks_events_become_phones_with_stops_moved_to_their_closure() -> None:
    events = [("", 0.0), ("m", 0.1), ("eɪ", 0.2), ("b", 0.4), ("iː", 0.45), ("", 0.6)]
    phones = speech_espeak.phones_from_events(events, 0.8)
    assert names(phones) == "_meɪbi_"
    stop = phones[4]
    assert stop.start == pytest.approx(0.4 - 0.052)
    assert stop.end == pytest.approx(0.45)
    assert phones[3].end == stop.start


def test_pipers_marks_give_their_time_to_their_neighbours() -> None:
    alignment = [("^", 0.05), ("h", 0.05), ("ˈ", 0.04), ("o", 0.1), ("ʊ", 0.06), (" ", 0.04), ("s", 0.08), ("i", 0.1)]
    phones = speech_piper.phones_from_alignment([*alignment, ("ː", 0.05), ("t", 0.05), ("ʃ", 0.08), (".", 0.1)])
    assert names(phones) == "_hoʊsiʧ_"
    by_name = {phone.name: phone for phone in phones}
    assert by_name["o"].end - by_name["o"].start == pytest.approx(0.14)
    assert by_name["s"].start == pytest.approx(0.05 + 0.05 + 0.14 + 0.06 + 0.02)
    assert by_name["ʧ"].end - by_name["ʧ"].start == pytest.approx(0.13 + 0.04)
    assert phones[-1].end == pytest.approx(
        0.05 + 0.05 + 0.04 + 0.1 + 0.06 + 0.04 + 0.08 + 0.1 + 0.05 + 0.05 + 0.08 + 0.1
    )


def closures_in_the_sound(utterance) -> float:
    """Share of /p b/ between vowels during whose closure the sound is at least 6 dB weaker than around it."""
    level = 10 * np.log10(np.convolve(utterance.samples**2, np.ones(160) / 160, "same") + 1e-9)
    dips: list[bool] = []
    for before, phone, after in zip(utterance.phones, utterance.phones[1:], utterance.phones[2:], strict=False):
        if phone.name in "pb" and not before.is_pause and not after.is_pause:
            closed = slice(int(phone.start * 16_000), int((phone.start + 0.07) * 16_000))
            around = slice(max(0, int((phone.start - 0.08) * 16_000)), int((phone.end + 0.08) * 16_000))
            dips.append(level[around].max() - level[closed].min() > 6)
    return float(np.mean(dips))


@pytest.mark.train
@pytest.mark.parametrize(
    "voice",
    [
        Voice("flite", "slt", "en"),
        Voice("festival", "kal_diphone", "en"),
        Voice("espeak", "en-us+f2", "en"),
        pytest.param(Voice("piper", "en_US-joe-medium", "en"), marks=pytest.mark.model),
    ],
    ids=lambda voice: voice.engine,
)
def test_every_engine_times_its_phones_on_the_sound(voice: Voice, tmp_path: Path) -> None:
    (utterance,) = speech.speak(voice, [TEXT], 3, tmp_path)
    phones = utterance.phones
    assert phones[-1].end == pytest.approx(utterance.seconds, abs=0.25)
    assert sum(phone.name in BILABIALS for phone in phones) == 7
    assert closures_in_the_sound(utterance) >= 0.8
    speech_energy = utterance.samples[int(phones[1].start * 16_000) : int(phones[-2].end * 16_000)]
    assert np.abs(speech_energy).max() == np.abs(utterance.samples).max()
    (again,) = speech.speak(voice, [TEXT], 3, tmp_path)
    assert np.array_equal(again.phones, phones)


@pytest.mark.train
@pytest.mark.model
def test_pipers_sound_repeats_from_its_seed_and_differs_between_seeds() -> None:
    one, same, other = (speech_piper.speak("Hello there.", seed).samples for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.train
def test_an_unknown_espeak_voice_is_refused() -> None:
    with pytest.raises(ModelError, match="choosing the voice no-such-voice"):
        speech_espeak.speak("no-such-voice", "hello")


def test_missing_engines_are_named_with_the_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)  # noqa: ARG005
    with pytest.raises(InputError, match="no flite, no festival") as caught:
        speech.check_engines()
    assert "apt-get install -y flite festival" in caught.value.hint


def test_voices_have_their_own_labels_and_their_phone_sets() -> None:
    assert len({voice.label for voice in VOICES}) == len(VOICES)
    assert all(voice.language in PHONE_SETS for voice in VOICES if voice.engine in {"flite", "festival"})


def test_four_diphone_voices_are_never_trained_on_and_at_least_twelve_of_four_engines_are() -> None:
    trained = [voice for voice in VOICES if not voice.held_out]
    held_out = {voice.name for voice in VOICES if voice.held_out}
    assert held_out == {"kal_diphone", "ked_diphone", "lp_diphone", "suo_fi_lj_diphone"}
    assert not held_out & {voice.name for voice in trained}
    assert len(trained) >= 12
    assert len({voice.engine for voice in trained}) == 4
    assert all(PAUSE in names.values() for names in PHONE_SETS.values())


def test_every_phone_of_an_engine_has_its_lips() -> None:
    for language, phone_set in PHONE_SETS.items():
        assert {letter for name in phone_set.values() for letter in name} <= set(LIP_TARGETS), language
