from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.gltf import HeadModel, gltf_document
from avatar.motion.layout import INDEX, neutral
from avatar.portrait.model import head_model
from avatar.portrait.setup import default_portrait_path, load_portrait


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return head_model(load_portrait(default_portrait_path(), note=lambda _: None))


def test_the_head_of_a_portrait_is_as_large_as_a_head(model: HeadModel) -> None:
    skin = model.parts[0].vertices
    assert 0.13 < np.ptp(skin[:, 0]) < 0.26
    assert 0.2 < np.ptp(skin[:, 1]) < 0.45
    assert 0.05 < model.interpupillary < 0.08
    assert skin[:, 1].min() < model.pivot[1] < 0


def test_it_has_eyes_teeth_and_tongue_of_their_own_colours(model: HeadModel) -> None:
    colours = {part.name: part.colours.mean(axis=0) for part in model.parts}
    assert set(colours) == {"skin", "left_eye", "right_eye", "upper_teeth", "lower_teeth", "tongue"}
    assert colours["upper_teeth"].min() > colours["tongue"].min()
    red, green, blue = colours["skin"]
    assert red > green > blue
    for part in model.parts:
        assert part.colours.shape == part.vertices.shape
        assert part.colours.min() >= 0
        assert part.colours.max() <= 1
        assert part.triangles.max() < len(part.vertices)


def test_the_jaw_takes_the_lower_teeth_along(model: HeadModel) -> None:
    jaw = {part.name: part.targets[INDEX["jawOpen"]][:, 1].mean() for part in model.parts}
    assert jaw["lower_teeth"] < -0.002
    assert jaw["upper_teeth"] == pytest.approx(0, abs=1e-4)


def test_a_minute_of_motion_takes_little_space(model: HeadModel) -> None:
    _, binary = gltf_document(model, neutral(1500))
    assert len(binary) < 2_000_000
