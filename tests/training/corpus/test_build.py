from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar.motion.layout import N_MOTION
from avatar.training.corpus import build, clip
from avatar.training.corpus.text import ENGLISH, OTHER_LANGUAGES, read_lines
from avatar.training.corpus.voices import VOICES, Voice
from tests.training.corpus.corpus_scenes import tone_utterance


@pytest.fixture
def buzzing_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every voice buzz "mama" instead of running its engine."""

    def speak(voice: Voice, texts: list[str], seed: int, cache: Path | None = None):
        return [tone_utterance(1.0 + (len(text) + seed) % 5, frequency=100.0 + len(voice.name)) for text in texts]

    monkeypatch.setattr(clip, "speak", speak)


@pytest.mark.usefixtures("buzzing_voices")
def test_a_clip_holds_all_arrays_on_one_timeline() -> None:
    made = clip.make_clip(3, 0, "train")
    n_frames = len(made.arrays["motion"])
    assert made.arrays["motion"].shape == (n_frames, N_MOTION)
    assert made.arrays["motion"].dtype == np.float16
    for name in ("agent", "user"):
        assert made.arrays[name].shape == (640 * n_frames,)
        assert made.arrays[name].dtype == np.int16
    for name, width in (("closure", 0), ("tuck", 0), ("states", 0), ("emotion", 8), ("controls", 4)):
        assert made.arrays[name].shape == ((n_frames, width) if width else (n_frames,))
    assert all(np.isfinite(made.arrays[name]).all() for name in ("motion", "closure", "tuck", "emotion", "controls"))
    assert made.arrays["states"].dtype == np.int8
    assert len(made.arrays["phones"]) == len(made.arrays["starts"]) == len(made.arrays["ends"])


@pytest.mark.usefixtures("buzzing_voices")
def test_the_same_number_and_seed_give_the_same_clip_and_others_another() -> None:
    one, same = (clip.make_clip(1, 0, "train") for _ in range(2))
    assert all(np.array_equal(one.arrays[name], same.arrays[name]) for name in one.arrays)
    assert not np.array_equal(clip.make_clip(2, 0, "train").arrays["motion"][:50], one.arrays["motion"][:50])
    assert not np.array_equal(clip.make_clip(1, 1, "train").arrays["motion"][:50], one.arrays["motion"][:50])


@pytest.mark.usefixtures("buzzing_voices")
def test_voices_and_text_of_the_held_out_split_are_kept_from_training() -> None:
    held_out = {voice.label for voice in VOICES if voice.held_out}
    for index in range(12):
        train, test = (clip.make_clip(index, 0, split) for split in ("train", "held_out"))
        assert train.facts["voice"] not in held_out
        assert test.facts["voice"] in held_out
        assert train.facts["user_voice"] not in held_out


@pytest.mark.usefixtures("buzzing_voices")
def test_the_mouth_is_at_rest_where_the_avatar_has_long_stopped_speaking() -> None:
    for index in range(6):
        arrays = clip.make_clip(index, 0, "train").arrays
        times = (np.arange(len(arrays["motion"])) + 0.5) / 25
        spoken = np.zeros(len(times), bool)
        for name, start, end in zip(arrays["phones"], arrays["starts"], arrays["ends"], strict=True):
            if name != "_":
                spoken |= (times > start - 0.25) & (times < end + 0.7)
        assert arrays["motion"][~spoken, 17].max(initial=0) < 0.01


@pytest.mark.usefixtures("buzzing_voices")
def test_a_build_has_its_hours_resumes_and_drops_what_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.build(tmp_path, 0.02, 0)
    index = json.loads((tmp_path / "index.json").read_text())
    train = [facts for facts in index["clips"] if facts["split"] == "train"]
    assert sum(facts["speech_seconds"] for facts in train) >= 72
    assert 2 * sum("copy_of" not in facts for facts in train if facts["speech_seconds"]) == sum(
        "copy_of" in facts for facts in index["clips"]
    )
    assert {facts["split"] for facts in index["clips"]} == {"train", "validation", "held_out"}
    files = sorted(path.name for path in (tmp_path / "clips").iterdir())
    assert files == sorted(Path(facts["file"]).name for facts in index["clips"])
    with np.load(tmp_path / train[0]["file"]) as stored:
        assert str(stored["voice"]) == train[0]["voice"]

    monkeypatch.setattr(build, "make_clip", None)
    monkeypatch.setattr(build, "copied", None)
    build.build(tmp_path, 0.005, 0)
    assert len(list((tmp_path / "clips").iterdir())) < len(files)


@pytest.mark.usefixtures("buzzing_voices")
def test_a_copy_sounds_otherwise_and_has_its_clips_motion_and_phones(tmp_path: Path) -> None:
    build.build(tmp_path, 0.01, 0, copies=1)
    clips = json.loads((tmp_path / "index.json").read_text())["clips"]
    copies = [facts for facts in clips if "copy_of" in facts]
    assert copies
    for facts in copies:
        with np.load(tmp_path / facts["file"]) as copy, np.load(tmp_path / facts["copy_of"]) as original:
            assert copy["agent"].shape == original["agent"].shape
            assert not np.array_equal(copy["agent"], original["agent"])
            for name in set(original.files) - {"agent", "facts"}:
                assert np.array_equal(copy[name], original[name])
            assert json.loads(str(copy["facts"])) == facts


@pytest.mark.usefixtures("buzzing_voices")
def test_copies_count_towards_the_hours(tmp_path: Path) -> None:
    hours = {}
    for copies in (0, 3):
        build.build(tmp_path / str(copies), 0.01, 0, copies)
        clips = json.loads((tmp_path / str(copies) / "index.json").read_text())["clips"]
        train = [facts for facts in clips if facts["split"] == "train"]
        hours[copies] = sum(facts["speech_seconds"] for facts in train) / 3600
        assert 0.01 <= hours[copies] < 0.03
        assert any("copy_of" in facts for facts in clips) == (copies > 0)


def test_copies_below_none_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build.main(["--out", str(tmp_path), "--copies", "-1"])
    assert caught.value.code == 2
    assert "-1" in capsys.readouterr().err


@pytest.mark.usefixtures("buzzing_voices")
def test_a_changed_package_makes_its_clips_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.build(tmp_path, 0.002, 0)
    monkeypatch.setattr(build, "labels_fingerprint", lambda: "another")
    build.build(tmp_path, 0.002, 0)
    index = json.loads((tmp_path / "index.json").read_text())
    assert {facts["fingerprint"] for facts in index["clips"]} == {"another"}


def test_the_fingerprint_covers_all_that_shapes_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {path.name for path in build.sources()}
    assert {"clip.py", "copies.py", "coding.py", "lip_targets.py", "text.tsv.xz", "emotions.py", "layout.py"} <= names
    assert "build.py" not in names
    before = build.labels_fingerprint()
    changed = tmp_path / "emotions.py"
    changed.write_text("another smile")
    monkeypatch.setattr(build.emotions, "__file__", str(changed))
    assert build.labels_fingerprint() != before


def test_every_language_of_a_voice_has_text() -> None:
    for language in (ENGLISH, *OTHER_LANGUAGES):
        assert len(read_lines(language)) >= 100
    assert {voice.language for voice in VOICES} <= {ENGLISH, *OTHER_LANGUAGES}
    assert sum(len(line.text.split()) for line in read_lines(ENGLISH)) > 20_000


def test_a_background_is_as_long_as_its_track_whatever_the_rounding() -> None:
    for n_samples in (259_840, 640 * 33, 640 * 407):
        for fill in (0.0, 0.1):
            track = np.full(n_samples, fill, np.float32)
            heard = clip._with_background(track, np.random.default_rng(n_samples), chance=1.0)
            assert len(heard) == n_samples
            assert not np.array_equal(heard, track)


def test_a_voice_for_contacts_reads_the_lines_with_most_labiodentals() -> None:
    plain = Voice("espeak", "it+f2", "it")
    every = clip._lines(plain, "train")
    chosen = clip._lines(replace(plain, for_contacts=True), "train")
    assert set(chosen) < set(every)

    def share(texts: list[str]) -> float:
        return sum(sign in "fv" for text in texts for sign in text.lower()) / sum(map(len, texts))

    assert share(chosen) > 1.5 * share(every)
