"""Avatars are made, listed, shown and removed on the command line, and stand wherever a photo may."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

import run_agent
from agent.commands.sheet import MOTIONS, contact_sheet
from agent.config import DEFAULT_PERSONA, load_config
from tests.fakes import FlashRenderer


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "avatars"
    monkeypatch.setenv("VISAVIS_AVATARS", str(folder))
    return folder


@pytest.fixture
def sketch(home: Path) -> Path:
    """An avatar that was never measured: enough where its face is not drawn."""
    folder = home / "eileen"
    folder.mkdir(parents=True)
    (folder / "avatar.yaml").write_text("photo: photo.jpg\nvoice: amy\npersona: persona.md\n")
    (folder / "persona.md").write_text("You are an astronaut.")
    return folder


@pytest.mark.model
def test_an_avatar_is_made_listed_shown_and_removed(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, persona, sheet = tmp_path / "astronaut.png", tmp_path / "who.md", tmp_path / "sheet.png"
    cv2.imwrite(str(photo), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    persona.write_text("You are an astronaut.")
    assert (
        run_agent.main(
            ["avatar", "create", str(photo), "eileen", "--persona", str(persona), "--disclosure", "A drawn Eileen."]
        )
        == 0
    )
    assert capsys.readouterr().out.startswith("eileen: made in ")
    assert run_agent.main(["avatar", "list"]) == 0
    assert capsys.readouterr().out == f"eileen  {home / 'eileen'}  own persona\n"
    assert run_agent.main(["avatar", "show", "eileen", "-o", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert f"folder      {home / 'eileen'}\n" in said
    assert "disclosure  A drawn Eileen." in said
    pictures = cv2.imread(str(sheet))
    assert pictures is not None
    assert pictures.shape == (4 * (320 + 24), 5 * 320, 3)
    rest, jaw_open = pictures[:320, :320].astype(int), pictures[:320, 640:960].astype(int)
    assert np.abs(rest - jaw_open)[160:].max() > 60
    assert run_agent.main(["avatar", "remove", "eileen"]) == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("create me.jpg eileen", "creating the avatar eileen: expected a name that is free, got one in use"),
        ("create me.jpg Zoë", "naming an avatar: expected up to 40 small letters, digits, - and _, got 'Zoë'"),
        ("create me.jpg zoe --persona none.md", "reading none.md: expected a text file, got"),
        ("create me.jpg zoe --voice amy", "loading the voice: expected `joe` or an .onnx file, got `amy`"),
        (
            "show ilene",
            "opening the avatar ilene: expected one that exists, got no such avatar\nhint: did you mean eileen?",
        ),
        (
            "remove bob",
            "removing the avatar bob: expected one that exists, got no such avatar\nhint: there is: eileen",
        ),
        ("show eileen -o sheet.jpg", "writing sheet.jpg: expected a name that ends in .png, got .jpg"),
        ("explode", "argument ACTION: invalid choice: 'explode'"),
    ],
)
@pytest.mark.usefixtures("sketch")
def test_what_is_wrong_is_said_in_one_line(line: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = run_agent.main(["avatar", *line.split()])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    said = [line for line in capsys.readouterr().err.splitlines() if not line.endswith("...")]
    assert "\n".join(said).startswith(f"error: {error}")
    assert len(said) <= 2


def test_without_avatars_the_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_agent.main(["avatar", "list"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "there are no avatars yet" in said.err


def test_an_avatar_brings_its_persona_and_voice_where_the_configuration_names_none(sketch: Path) -> None:
    config = load_config(portrait=Path("eileen"))
    assert config.persona == sketch / "persona.md"
    assert config.tts.args["voice"] == "amy"
    assert config.avatar.portrait == Path("eileen")
    assert load_config().persona == DEFAULT_PERSONA
    assert "voice" not in load_config().tts.args


def test_what_the_configuration_names_goes_before_the_avatar(sketch: Path, tmp_path: Path) -> None:
    (tmp_path / "me.md").write_text("You are somebody else.")
    path = tmp_path / "config.yaml"
    parts = "vad: {class: silero}\nstt: {class: whisper}\nllm: {class: llama}\n"
    path.write_text(
        f"persona: me.md\navatar: {{portrait: eileen}}\n{parts}tts: {{class: piper, args: {{voice: joe}}}}\n"
    )
    config = load_config(path)
    assert config.avatar.portrait == Path("eileen")
    assert config.persona == tmp_path / "me.md"
    assert config.tts.args["voice"] == "joe"


def test_an_avatar_folder_elsewhere_is_named_by_its_path_in_the_configuration(sketch: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(sketch, tmp_path / "mine"))
    path = tmp_path / "config.yaml"
    parts = "vad: {class: silero}\nstt: {class: whisper}\nllm: {class: llama}\ntts: {class: piper}\n"
    path.write_text(f"avatar: {{portrait: mine}}\n{parts}")
    config = load_config(path)
    assert config.avatar.portrait == moved
    assert config.persona == moved / "persona.md"


def test_a_sheet_shows_every_motion_in_its_place() -> None:
    sheet = contact_sheet(FlashRenderer())
    height, width = FlashRenderer().size
    light = [
        sheet[row * (height + 24) : row * (height + 24) + height, column * width : (column + 1) * width].mean() / 255
        for row in range(4)
        for column in range(5)
    ]
    np.testing.assert_allclose(light, [values.get("jawOpen", 0) for values in MOTIONS.values()], atol=0.01)


@pytest.mark.model
def test_an_avatar_travels_in_one_file(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, sent = tmp_path / "astronaut.png", tmp_path / "eileen.zip"
    cv2.imwrite(str(photo), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    assert run_agent.main(["avatar", "create", str(photo), "eileen"]) == 0
    capsys.readouterr()
    assert run_agent.main(["avatar", "export", "eileen", str(sent)]) == 0
    assert capsys.readouterr().out.startswith(f"eileen: exported to {sent} (")
    assert run_agent.main(["avatar", "import", str(sent), "guest"]) == 0
    assert capsys.readouterr().out == f"guest: imported to {home / 'guest'}\n"
    assert (home / "guest" / "photo.png").read_bytes() == photo.read_bytes()
    assert run_agent.main(["avatar", "import", str(sent)]) == 2
    said = capsys.readouterr().err
    assert "error: creating the avatar eileen: expected a name that is free, got one in use\n" in said


def test_exporting_needs_an_avatar_and_a_place(
    sketch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        (["nobody", str(tmp_path / "a.zip")], "expected one that exists, got no such avatar"),
        (["eileen", str(tmp_path / "a.tar")], "expected a name that ends in .zip, got .tar"),
        (["eileen", str(tmp_path / "none" / "a.zip")], "got no such folder"),
        (["eileen", str(tmp_path / "a.zip")], "expected its file photo.jpg, got none in its folder"),
    ):
        assert run_agent.main(["avatar", "export", *arguments]) == 2
        assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["avatars"]
