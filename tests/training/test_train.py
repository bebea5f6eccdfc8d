# ruff: noqa: PLC0415 - torch is imported by the tests that need it, so that the others run without
from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.generator import FlowMotionGenerator
from avatar.motion.layout import INDEX
from avatar.motion.model import N_CHANNELS, PAST_FRAMES, MotionModel, Past
from avatar.motion.types import Controls, MotionRequest
from avatar.training.dataset import Dataset, clip_files
from avatar.types import AvatarState

pytestmark = pytest.mark.train

STEPS = 60


@pytest.fixture(scope="module")
def network_size():
    from avatar.training.network import NetworkSize

    return NetworkSize(n_features=5, hearing=16, width=32, heads=2, blocks=1)


@pytest.fixture
def datasets(tiny_corpus, loudness, tmp_path):
    return [Dataset(clip_files(tiny_corpus, split), loudness, tmp_path, seed=0) for split in ("train", "validation")]


def losses(datasets, size, steps=STEPS, seed=0):
    from avatar.training.train import Plan, train

    lines = []
    trained = train(*datasets, Plan(steps=steps, seed=seed), size, lines.append)
    return trained, float(lines[-1].split("validation ")[1].split()[0])


def test_training_lowers_the_validation_loss(datasets, network_size):
    _, before = losses(datasets, network_size, steps=1)
    _, after = losses(datasets, network_size)
    assert after < 0.9 * before


def test_training_goes_on_from_a_network_and_keeps_its_normalisation(datasets, network_size):
    from avatar.training.train import Plan, train

    lines = []
    first, before = losses(datasets, network_size)
    kept = []
    second = train(*datasets, Plan(steps=5, learning_rate=1e-4), first, lines.append, kept.append)
    after = float(lines[-1].split("validation ")[1].split()[0])
    assert after < 1.1 * before
    assert second.mean is first.mean
    assert kept[-1].network is second.network


def test_training_ends_when_its_time_is_up(datasets, network_size):
    from avatar.training.train import Plan, train

    lines = []
    train(*datasets, Plan(steps=1000, minutes=1e-9), network_size, lines.append)
    assert lines[-1].startswith("step 1/1000")


def test_the_same_seed_trains_the_same_network(datasets, network_size):
    first, _ = losses(datasets, network_size, steps=3)
    second, _ = losses(datasets, network_size, steps=3)
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert (one == other).all()


def test_a_saved_network_is_loaded_as_it_was(datasets, network_size, tmp_path):
    from avatar.training.checkpoint import load, save

    trained, _ = losses(datasets, network_size, steps=2)
    save(trained, tmp_path / "network.npz")
    loaded = load(tmp_path / "network.npz")
    assert loaded.size == trained.size
    np.testing.assert_array_equal(loaded.mean, trained.mean)
    for name, value in trained.network.state_dict().items():
        assert (loaded.network.state_dict()[name] == value).all(), name


@pytest.mark.parametrize("n_frames", [4, 8, 25])
def test_the_exported_graphs_compute_what_the_network_does(datasets, network_size, tmp_path, n_frames):
    import torch

    from avatar.training.export import export

    trained, _ = losses(datasets, network_size, steps=5)
    export(trained, tmp_path / "model")
    model = MotionModel(tmp_path / "model")
    random = np.random.default_rng(0)
    agent = random.normal(size=(25 + n_frames, 5)).astype(np.float32)
    user = random.normal(size=(25 + n_frames, 3)).astype(np.float32)
    style = random.normal(size=(n_frames, 16)).astype(np.float32)
    past = Past(random.normal(size=(PAST_FRAMES, N_CHANNELS)).astype(np.float32), np.ones(PAST_FRAMES, np.float32))
    noisy = random.normal(size=(n_frames, N_CHANNELS)).astype(np.float32)
    got = model.denoiser(model.condition(agent, user, style), past)(noisy, 0.4)
    with torch.no_grad():
        tensors = [torch.as_tensor(values)[None] for values in (agent, user, style)]
        condition, _ = trained.network.conditioner(*tensors)
        tensors = [torch.as_tensor(values)[None] for values in (noisy, past.channels, past.valid)]
        wanted = trained.network.transformer(tensors[0], torch.tensor([0.4]), *tensors[1:], condition)[0]
    np.testing.assert_allclose(got, wanted.numpy(), atol=5e-3)
    assert np.abs(got).max() > 0.01


def test_a_trained_network_opens_the_jaw_with_the_sound(datasets, network_size, loudness, tmp_path):
    from avatar.training.export import export

    trained, _ = losses(datasets, network_size, steps=250)
    export(trained, tmp_path / "model")
    generator = FlowMotionGenerator(MotionModel(tmp_path / "model"), loudness, np.random.default_rng(0))
    n_samples = (generator.audio_context + 20 + generator.look_ahead) * 640
    sound = np.random.default_rng(1).normal(0, 0.2, n_samples).astype(np.float32)
    sound[: (generator.audio_context + 10) * 640] = 0
    states = (AvatarState.IDLE,) * 10 + (AvatarState.SPEAKING,) * 10
    request = MotionRequest(0, 20, sound, np.zeros_like(sound), states, np.zeros((20, 8), np.float32), Controls())
    jaw = generator.generate(request).coefficients[:, INDEX["jawOpen"]]
    assert jaw[13:].mean() > jaw[:8].mean() + 0.1


def test_the_flow_starts_from_noise_as_slow_and_alike_as_the_motion():
    from avatar.training.train import noise_like

    random = np.random.default_rng(0)
    n = 20_000
    slow = np.convolve(random.normal(size=n), 0.8 ** np.arange(40), mode="same")
    twin = slow + 0.1 * slow.std() * random.normal(size=n)
    motion = np.stack([slow / slow.std(), twin / twin.std(), random.normal(size=n)], axis=1).astype(np.float32)
    noise = noise_like(motion, np.ones(n, bool))
    assert noise.persistence[0] == pytest.approx(0.8, abs=0.05)
    assert noise.persistence[2] < 0.05
    drawn = noise.shape(random.standard_normal((500, 20, 3)).astype(np.float32))
    assert np.corrcoef(drawn[..., 0].ravel(), drawn[..., 1].ravel())[0, 1] == pytest.approx(0.9, abs=0.05)
    assert abs(np.corrcoef(drawn[..., 0].ravel(), drawn[..., 2].ravel())[0, 1]) < 0.1


@pytest.fixture
def start_and_end(datasets, network_size, tmp_path):
    """Checkpoints of a network and of one trained on from it."""
    from avatar.training.checkpoint import save
    from avatar.training.train import Plan, train

    start, _ = losses(datasets, network_size, steps=2)
    end = train(*datasets, Plan(steps=4, seed=1), start, print)
    save(start, tmp_path / "start.npz")
    save(end, tmp_path / "end.npz")
    return start, end, tmp_path


def test_a_blend_lies_between_where_training_began_and_ended(start_and_end):
    from avatar.training.checkpoint import blended

    start, end, _ = start_and_end
    for share in (0.0, 0.25, 1.0):
        mixed = blended(end, start, share).network.state_dict()
        for name, value in start.network.state_dict().items():
            wanted = (1 - share) * end.network.state_dict()[name] + share * value
            np.testing.assert_allclose(mixed[name], wanted, atol=1e-6)


def test_networks_that_do_not_come_from_each_other_are_not_blended(start_and_end, capsys):
    from dataclasses import replace

    from avatar.training import export
    from avatar.training.checkpoint import save

    start, _, folder = start_and_end
    save(replace(start, mean=start.mean + 1), folder / "stranger.npz")
    given = ["--checkpoint", str(folder / "end.npz"), "--out", str(folder / "model")]
    assert export.main([*given, "--blend", str(folder / "stranger.npz")]) == 2
    assert "blending two networks: expected one trained on from the other" in capsys.readouterr().err
    assert export.main([*given, "--blend", str(folder / "none.npz")]) == 2
    assert "expected a trained network" in capsys.readouterr().err
    assert export.main([*given, "--blend", str(folder / "start.npz"), "--share", "0.5"]) == 0
    assert (folder / "model" / "denoiser.onnx").is_file()
    with pytest.raises(SystemExit):
        export.main([*given, "--share", "2"])
