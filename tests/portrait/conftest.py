"""One portrait and its landmarks, measured once for all tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from avatar.portrait.fit import HeadFitter
from avatar.portrait.head import load_head
from avatar.portrait.landmarks import LandmarkModel


@pytest.fixture(scope="session")
def astronaut():
    """NASA's picture of Eileen Collins, uint8 (512, 512, 3): the face is about 95 pixels wide at (220, 120)."""
    return data.astronaut()


@pytest.fixture(scope="session")
def model():
    return LandmarkModel()


@pytest.fixture(scope="session")
def seen(model, astronaut):
    return model.landmarks(astronaut)


@pytest.fixture(scope="session")
def fitter():
    return HeadFitter(load_head())


@pytest.fixture
def rng():
    return np.random.default_rng(5)
