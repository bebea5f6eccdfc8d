"""The face of a command: the portrait's renderer and the motion generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.commands.progress import note, stage
from avatar import kernels

if TYPE_CHECKING:
    from pathlib import Path

    from avatar.motion.gltf import HeadModel
    from avatar.motion.types import MotionGenerator
    from avatar.render.types import Renderer

SIZE: Final = 512
"""Height and width of the pictures."""


def open_renderer(portrait: Path | None, threads: int = 1, *, relaxed: bool = True) -> Renderer:
    """Returns the renderer of a photo or an avatar (its name or folder), or of the portrait that comes with Visavis.

    Args:
        portrait: The photo or the avatar; None for ours.
        threads: How many the renderer draws with.
        relaxed: Rest with a calm face where the photo smiles; for motion that is not relative to the photo.

    Raises:
        InputError: There is no such avatar, or the photo can't be read or has no usable face.
        ModelError: A model is missing or damaged.
    """
    from avatar.portrait.folder import load_face  # noqa: PLC0415 - heavy
    from avatar.render.renderer import PortraitRenderer  # noqa: PLC0415 - heavy

    with stage("preparing the portrait"):
        face = load_face(portrait, note=note)
    if kernels.compiling():
        with stage("compiling the renderer for this machine, at the first start only"):
            kernels.wait()
    with stage("preparing the renderer"):
        return PortraitRenderer(face, SIZE, threads=threads, relaxed=relaxed)


def open_head(portrait: Path | None) -> HeadModel:
    """Returns the 3D head of a photo or an avatar (its name or folder), or of the portrait that comes with Visavis.

    Raises:
        InputError: There is no such avatar, or the photo can't be read or has no usable face.
        ModelError: A model is missing or damaged.
    """
    from avatar.portrait.folder import load_face  # noqa: PLC0415 - heavy
    from avatar.portrait.model import head_model  # noqa: PLC0415 - heavy

    with stage("preparing the head"):
        return head_model(load_face(portrait, note=note))


def open_generator(seed: int, threads: int = 1) -> MotionGenerator:
    """Returns the motion generator.

    Raises:
        ModelError: A model is missing or damaged.
    """
    from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - heavy

    with stage("loading the motion model"):
        return load_motion_model(seed=seed, threads=threads)
