from __future__ import annotations

import pytest

from avatar.errors import ModelError
from avatar.portrait.network import Network


def test_a_missing_model_is_one_clear_line():
    with pytest.raises(ModelError, match=r"loading nothing\.onnx: expected a face model"):
        Network("nothing")
