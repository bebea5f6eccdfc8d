from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from agent.config import DEFAULT_CONFIG, load_config, options_of
from agent.options import WhisperOptions
from avatar.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

OPENAI = DEFAULT_CONFIG.with_name("openai.yaml")


@pytest.fixture
def write(tmp_path: Path):
    """Writes a configuration: the default one with changes, a path of keys at a time."""
    (tmp_path / "persona.md").write_text("You are somebody.")

    def write(changes: dict[str, object], *, without: str = "") -> Path:
        values = yaml.safe_load(DEFAULT_CONFIG.read_text())
        values["persona"] = "persona.md"
        for path, value in changes.items():
            place = values
            *parents, last = path.split(".")
            for key in parents:
                place = place[key]
            place[last] = value
        values.pop(without, None)
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(values))
        return file

    return write


def error_of(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_default_configuration_names_our_own_parts():
    config = load_config()
    assert (config.vad.name, config.stt.name, config.llm.name, config.tts.name) == (
        "silero",
        "whisper",
        "llama",
        "hibari",
    )
    assert config.persona.is_file()
    assert config.persona.is_absolute()


def test_the_openai_configuration_takes_its_keys_from_the_environment():
    config = load_config(OPENAI)
    for part in (config.stt, config.llm, config.tts):
        assert part.name.startswith("livekit.plugins.openai.")
        assert part.key_env == "OPENAI_API_KEY"
        assert part.args["base_url"].startswith("https://")


def test_arguments_become_checked_options(write):
    config = load_config(write({"stt.args": {"language": None, "beam": 3}}))
    options = options_of(config.stt, WhisperOptions)
    assert options.language is None
    assert options.beam == 3


def test_paths_are_relative_to_the_file(write, tmp_path):
    path = write(
        {
            "avatar.portrait": "me.jpg",
            "llm.args": {"model": "m.gguf"},
            "tts": {"class": "piper", "args": {"voice": "v.onnx"}},
        }
    )
    config = load_config(path)
    assert config.persona == tmp_path / "persona.md"
    assert config.avatar.portrait == tmp_path / "me.jpg"
    assert config.llm.args["model"] == tmp_path / "m.gguf"
    assert config.tts.args["voice"] == str(tmp_path / "v.onnx")


@pytest.mark.parametrize(
    ("changes", "got", "hint"),
    [
        ({"vda": {}}, "`vda`", "`vad`"),
        ({"avatar.sede": 3}, "`avatar.sede`", "`seed`"),
        ({"turns.min_dely": 3}, "`turns.min_dely`", "`min_delay`"),
        ({"stt.args": {"langage": "en"}}, "`stt.args.langage`", "`language`"),
        ({"tts.clas": "piper"}, "`tts.clas`", "`class`"),
        ({"turns.detection": {"class": "vad", "arg": {}}}, "`turns.detection.arg`", "`args`"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(write, changes, got, hint):
    error = error_of(write(changes))
    assert got in str(error)
    assert f"did you mean {hint}?" in error.hint


@pytest.mark.parametrize(
    ("changes", "expected", "got"),
    [
        ({"stt.args": {"threads": "two"}}, "`stt.args.threads` to be a valid integer", "'two'"),
        ({"turns.max_delay": 200}, "`turns.max_delay` to be less than or equal to 60", "200"),
        ({"llm.args": {"temperature": -1}}, "`llm.args.temperature` to be greater than or equal to 0", "-1"),
        ({"avatar": 3}, "`avatar` to be", "3"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(write, changes, expected, got):
    error = error_of(write(changes))
    assert expected in str(error)
    assert str(error).endswith(f"got {got}")


def test_a_part_left_out_is_the_embedded_one(write):
    assert load_config(write({}, without="llm")).llm == load_config().llm.model_copy(update={"args": {}})


def test_a_class_that_is_neither_ours_nor_livekits_is_refused(write):
    error = error_of(write({"vad.class": "os.system"}))
    assert "`silero`, `webrtc`" in str(error)
    assert "livekit.plugins" in str(error)
    assert "`vat`" in str(error_of(write({"turns.detection": "vat"})))


def test_a_key_in_the_file_is_refused_without_being_shown(write):
    error = error_of(write({"llm.args": {"api_key": "sk-secret"}}))
    assert "key_env" in str(error)
    assert "sk-secret" not in str(error) + error.hint


@pytest.mark.parametrize(
    ("content", "got"),
    [("", "nothing"), ("- a\n- b", "list"), ("a: [", "line 1"), ("a: 1\n b: 2", "line 2")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content, got):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    assert got in str(error_of(path))


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.yaml"
    assert f"reading {path}: expected a configuration file, got no such file" in str(error_of(path))


def test_a_missing_persona_is_named(write, tmp_path):
    assert str(tmp_path / "nobody.md") in str(error_of(write({"persona": "nobody.md"})))


def test_binary_rubbish_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00rubbish")
    assert "readable YAML" in str(error_of(path))


def test_a_seed_of_the_command_line_takes_the_place_of_the_files(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("avatar: {seed: 3}")
    assert load_config(path).avatar.seed == 3
    assert load_config(path, seed=0).avatar.seed == 0
    assert load_config(path, seed=7).avatar.seed == 7
