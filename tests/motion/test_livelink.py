from __future__ import annotations

import numpy as np
import pytest

from avatar.errors import InputError, OutputError
from avatar.motion.layout import INDEX, neutral
from avatar.motion.livelink import HEADER, read_livelink, write_livelink


@pytest.fixture
def motion():
    random = np.random.default_rng(0)
    values = random.uniform(0, 1, (60, 58)).astype(np.float32)
    values[:, 52:] -= 0.5
    return values


def test_what_is_written_is_read_back(tmp_path, motion):
    path = tmp_path / "motion.csv"
    write_livelink(path, motion)
    np.testing.assert_allclose(read_livelink(path), motion, atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["motion.csv"]


def test_header_and_timecodes_are_live_link_faces_own(tmp_path, motion):
    path = tmp_path / "motion.csv"
    write_livelink(path, motion)
    lines = path.read_text().splitlines()
    assert lines[0].startswith("Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,")
    assert ",TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw," in lines[0]
    assert lines[1].startswith("00:00:00:00.000,61,")
    assert lines[27].startswith("00:00:01:01.000,61,")
    assert len(lines) == 61


def test_eyes_that_look_to_the_avatars_left_turn_left(tmp_path):
    motion = neutral(1)
    motion[0, INDEX["eyeLookOutLeft"]] = motion[0, INDEX["eyeLookInRight"]] = 0.5
    write_livelink(tmp_path / "eyes.csv", motion)
    row = dict(zip(HEADER, (tmp_path / "eyes.csv").read_text().splitlines()[1].split(","), strict=True))
    assert float(row["LeftEyeYaw"]) == float(row["RightEyeYaw"]) == pytest.approx(0.3)


def rewrite(path, change):
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def test_a_file_without_head_columns_has_a_head_at_rest(tmp_path, motion):
    path = tmp_path / "motion.csv"
    write_livelink(path, motion)
    rewrite(path, lambda lines: [",".join(line.split(",")[:54]) for line in lines])
    read = read_livelink(path)
    np.testing.assert_allclose(read[:, :52], motion[:, :52], atol=1e-6)
    assert not read[:, 52:].any()


def test_sixty_frames_a_second_become_twenty_five(tmp_path):
    n_rows = 121
    values = neutral(n_rows)
    values[:, INDEX["jawOpen"]] = np.arange(n_rows) / n_rows
    path = tmp_path / "phone.csv"
    write_livelink(path, values)

    def at_sixty(lines):
        codes = [f"17:03:{30 + i // 60:02}:{i % 60:02}.000" for i in range(n_rows)]
        return [lines[0]] + [
            ",".join([code, *line.split(",")[1:]]) for code, line in zip(codes, lines[1:], strict=True)
        ]

    rewrite(path, at_sixty)
    read = read_livelink(path)
    assert len(read) == 51
    np.testing.assert_allclose(read[:, INDEX["jawOpen"]], np.arange(51) / 25 * 60 / n_rows, atol=1e-5)


def set_field(line, column, value):
    def change(lines):
        fields = lines[line].split(",")
        fields[HEADER.index(column)] = value
        return [*lines[:line], ",".join(fields), *lines[line + 1 :]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_field(3, "JawOpen", "wide"), r"motion.csv, line 4: expected a number for jawOpen, got 'wide'"),
        (set_field(3, "JawOpen", "nan"), r"line 4: expected a number for jawOpen, got 'nan'"),
        (set_field(5, "Timecode", "noon"), r"line 6: expected a timecode HH:MM:SS:FF.mmm, got 'noon'"),
        (set_field(5, "Timecode", "00:00:00:00.000"), r"line 6: expected a later timecode"),
        (set_field(0, "JawOpen", "Jaw"), r"expected a column for each of the 52 coefficients, got no column JawOpen"),
        (lambda lines: [*lines[:2], lines[2] + ",1", *lines[3:]], r"line 3: expected 66 values, got 67"),
        (lambda lines: lines[:1], r"expected a header and at least one row, got 1 lines"),
        (lambda _: ["\0\1"], r"expected a header and at least one row"),
    ],
)
def test_a_malformed_file_is_one_clear_line(tmp_path, motion, change, message):
    path = tmp_path / "motion.csv"
    write_livelink(path, motion)
    rewrite(path, change)
    with pytest.raises(InputError, match=message) as caught:
        read_livelink(path)
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="expected a Live Link Face CSV, got No such file"):
        read_livelink(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="expected a Live Link Face CSV, got bytes"):
        read_livelink(tmp_path / "picture.csv")


def test_a_folder_that_does_not_exist_leaves_nothing_behind(tmp_path, motion):
    with pytest.raises(OutputError, match="writing motion.csv: expected a folder that can be written to"):
        write_livelink(tmp_path / "none" / "motion.csv", motion)
    assert not list(tmp_path.iterdir())


def test_frames_without_a_face_are_marked_and_eased_through(tmp_path):
    values = neutral(20)
    values[:, INDEX["jawOpen"]] = 0.6
    present = np.ones(20, bool)
    present[8:12] = False
    values[~present] = 0
    path = tmp_path / "tracked.csv"
    write_livelink(path, values, present)
    lines = path.read_text().splitlines()
    assert lines[0].split(",") == [*HEADER, "FacePresent"]
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["1"] * 8 + ["0"] * 4 + ["1"] * 8
    assert float(lines[10].split(",")[HEADER.index("JawOpen")]) == 0
    np.testing.assert_allclose(read_livelink(path)[:, INDEX["jawOpen"]], 0.6, atol=1e-5)


def test_expressions_relative_to_the_first_frame_that_shows_a_face(tmp_path):
    values = neutral(30)
    values[15:, INDEX["jawOpen"]] = 0.2
    values[20:, INDEX["jawOpen"]] = 0.5
    path = tmp_path / "tracked.csv"
    write_livelink(path, values, np.arange(30) >= 15)
    jaw = read_livelink(path, relative=True)[:, INDEX["jawOpen"]]
    np.testing.assert_allclose(jaw[[0, 15, 19, 20, 29]], [0, 0, 0, 0.3, 0.3], atol=1e-5)
