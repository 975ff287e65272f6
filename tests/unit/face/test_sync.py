"""Lags: their sign, their fractions, and what has none; offset and drift of sound, put there and found again."""

import numpy as np
import pytest

from talkface.face.detection import find_tracking, track_face
from talkface.face.predictor import predictor_path
from talkface.face.sync import (
    CERTAIN,
    DRIFT_S,
    LITTLE_MS,
    audio_video_drift,
    audio_video_offset,
    best_lag,
    correction_ms,
    lag_correlations,
    mouth_series,
    voice_series,
)
from talkface.media.audio import extract_audio
from talkface.media.video import probe, read_frames
from tests.toy_corpus import envelope, shapes, sound

RATE = 16_000


def bumps(time):
    """A smooth series whose shape occurs once."""
    return np.exp(-(((time - 20) / 3) ** 2)) + 0.6 * np.exp(-(((time - 45) / 5) ** 2))


@pytest.mark.parametrize("late", [-6.0, -2.5, 0.0, 0.3, 4.0, 7.75])
def test_a_late_second_series_has_a_positive_lag(late):
    time = np.arange(75.0)
    found = best_lag(bumps(time), 3 + 2 * bumps(time - late), most=10)
    assert found.lag == pytest.approx(late, abs=0.05)
    assert found.correlation == pytest.approx(1, abs=0.01)


def test_correlations_by_hand():
    a, b = [0.0, 1, 0, 0, 0], [0.0, 0, 1, 0, 0]
    curve = lag_correlations(a, b, most=1)
    # lag 0: means 0.2; sum (a - .2)(b - .2) = 5 * .04 - .2 - .2 = -.2, of .8; lag 1: (0 1 0 0) and (0 1 0 0)
    np.testing.assert_allclose(curve[1:], [-0.25, 1])
    assert curve[0] == pytest.approx(-1 / 3)  # (1 0 0 0) and (0 0 1 0)


def test_lengths_may_differ():
    time = np.arange(75.0)
    assert best_lag(bumps(time), bumps(time - 2)[:74], most=10).lag == pytest.approx(2, abs=0.05)


def test_without_movement_or_length_there_is_no_lag():
    for a, b in [(np.ones(50), np.arange(50.0)), ([], []), ([1.0, 2.0], [1.0, 2.0])]:
        assert np.isnan(best_lag(a, b, most=10)).all()


def test_short_series_are_compared_over_half_of_their_steps():
    generator = np.random.default_rng(0)
    a = generator.standard_normal(8)
    assert abs(best_lag(a, generator.standard_normal(8), most=10).lag) <= 4


def late(samples, offset_ms, *, rate=RATE):
    """Samples (S,) that are heard so much later, as many as before."""
    shift = round(offset_ms / 1_000 * rate)
    return np.concatenate([np.zeros(max(0, shift), samples.dtype), samples[max(0, -shift) :]])[: len(samples)]


def talker(frames, *, seed=0):
    """Landmarks in pixels (T, 68, 2) and samples (S,) of someone whose mouth is as open as the voice is loud."""
    samples = sound(envelope(frames, np.random.default_rng(seed), per_frame=RATE // 25), RATE, np.random.default_rng(1))
    return 200 + 100 * shapes(envelope(frames, np.random.default_rng(seed), per_frame=1)), samples


@pytest.mark.parametrize("offset_ms", [-200, -80, 0, 35, 120, 200])
def test_late_sound_has_a_positive_offset(offset_ms):
    landmarks, samples = talker(150)
    found = audio_video_offset(landmarks, late(samples, offset_ms), rate=RATE)
    assert found.offset_ms == pytest.approx(offset_ms, abs=12)
    assert found.certainty > CERTAIN


def test_neither_loudness_nor_size_counts_nor_unit():
    landmarks, samples = talker(100)
    found = audio_video_offset(landmarks, samples, rate=RATE)
    other = audio_video_offset(3 * landmarks - 50, samples / 32_768 / 10, rate=RATE)
    np.testing.assert_allclose(other, found, atol=1e-3)


def test_without_a_common_event_nothing_is_found():
    landmarks, samples = talker(100)
    for face, heard in [
        (landmarks[:24], samples[: 24 * RATE // 25]),  # less than a second
        (np.repeat(landmarks[:1], 100, axis=0), samples),  # nothing moves
        (landmarks, np.zeros_like(samples)),  # nothing sounds
        (landmarks, samples[:0]),
        (landmarks[:0], samples),
    ]:
        assert np.isnan(audio_video_offset(face, heard, rate=RATE)).all()


def test_what_repeats_is_not_certain():
    time = np.arange(100) / 25
    loud = np.repeat(0.5 + 0.5 * np.sin(2 * np.pi * 5 * time), RATE // 25)
    landmarks = shapes(0.5 + 0.5 * np.sin(2 * np.pi * 5 * time))
    assert audio_video_offset(landmarks, sound(loud, RATE, np.random.default_rng(0)), rate=RATE).certainty < CERTAIN


def test_series_tell_time():
    landmarks, _ = talker(75)
    assert mouth_series(landmarks).shape == (297, 2)  # from 0 to 2.96 s
    click = np.zeros(2 * RATE)
    click[RATE - 8 : RATE + 8] = 1
    loudness = voice_series(click, rate=RATE)[:, 0]
    assert len(loudness) == 200
    heard = np.flatnonzero(loudness > loudness.min() + 1)
    assert (heard[0] + heard[-1]) / 2 == pytest.approx(100, abs=0.5)
    # A second formant at 2 kHz is higher than one at 1.3 kHz.
    time = np.arange(RATE) / RATE
    high, low = (voice_series(np.sin(2 * np.pi * pitch * time), rate=RATE)[50, 1] for pitch in (2_000, 1_300))
    assert high > low + 20


def test_drift():
    landmarks, samples = talker(round(25 * DRIFT_S) + 50)
    assert audio_video_drift(landmarks, samples, rate=RATE) == pytest.approx(0, abs=10)
    time = np.arange(len(samples))
    slow = np.interp(time / 1.008, time, samples)  # at 22 s, 176 ms late
    assert audio_video_drift(landmarks, slow, rate=RATE) == pytest.approx(176, abs=30)
    assert np.isnan(audio_video_drift(landmarks[:400], samples[: 16 * RATE], rate=RATE))


@pytest.fixture(scope="module")
def real(shared_data):
    """Landmarks and sound of real clips, at 44.1 kHz."""

    def read(name):
        video, predictor = shared_data / name, predictor_path()
        return track_face(read_frames(probe(video)), predictor=predictor).landmarks, extract_audio(video)

    return read


def test_shifts_of_real_clips_are_found(real, shared_data):
    names = [f"grid/others/{name}.mpg" for name in ("brbk7n", "lbax4n", "lwbsza", "pwij3p", "swwp2s")]
    names += [f"grid/s1/{path.name}" for path in sorted((shared_data / "grid" / "s1").glob("*.mpg"))[10:130:24]]
    errors, certain = [], []
    for name in names:
        landmarks, samples = real(name)
        for offset_ms in (-200, -80, 120, 200):
            found = audio_video_offset(landmarks, late(samples, offset_ms, rate=44_100), rate=44_100)
            errors.append(found.offset_ms - offset_ms)
            certain.append(found.certainty >= CERTAIN)
    errors, certain = np.abs(errors), np.array(certain)
    assert np.median(errors) < 25
    assert certain.mean() > 0.5
    assert errors[certain].max() < 80  # with what picture and sound of GRID itself lie apart


@pytest.fixture(scope="module", params=["dlib", "mesh"])
def long_clips(request, shared_data):
    """Detector, and three stretches of 15 s of GRID's s1: landmarks, and sound at 16 kHz."""
    tracking, frames = find_tracking(request.param, max_gap_frames=5), 74
    clips = sorted((shared_data / "grid" / "s1").glob("*.mpg"))[::9][:15]
    faces = [tracking.track(read_frames(probe(clip), pixels=tracking.pixels)).landmarks[:frames] for clip in clips]
    sounds = [np.resize(extract_audio(clip, rate=16_000), frames * 640) for clip in clips]
    return request.param, [(np.concatenate(faces[i : i + 5]), np.concatenate(sounds[i : i + 5])) for i in (0, 5, 10)]


def test_offsets_of_long_clips_are_certain_and_right(long_clips):
    detector, clips = long_clips
    errors, moves = [], []
    for number, (landmarks, samples) in enumerate(clips):
        for offset_ms in (-190, -110, -40, 40, 70, 160):
            moved = late(samples, offset_ms + number, rate=16_000)
            found = audio_video_offset(landmarks, moved, rate=16_000, detector=detector)
            assert found.certainty >= CERTAIN
            moves.append(correction_ms(*found, duration_s=15.0))
            errors.append(found.offset_ms - offset_ms - number)
    assert np.median(np.abs(errors)) < 20
    assert np.abs(errors).max() < 40  # `make bench-timing` counts those within 20
    assert all(abs(move) >= LITTLE_MS or move == 0 for move in moves)


def test_only_long_clips_whose_offset_is_certain_are_corrected():
    assert correction_ms(85.0, 0.95, 15.0) == 85
    assert correction_ms(-40.0, 0.8, 60.0) == -40
    for found in ((85.0, 0.95, 14.9), (85.0, 0.79, 60.0), (19.0, 1.0, 60.0), (np.nan, np.nan, 60.0)):
        assert correction_ms(*found) == 0


def test_a_real_clip_drifts_when_its_sound_is_stretched(real):
    landmarks, samples = real("talking/person31.mp4")
    own = audio_video_drift(landmarks, samples, rate=44_100)
    assert abs(own) < 80  # each half is found to about 15 ms, and their difference is doubled
    time = np.arange(len(samples))
    slow = np.interp(time / 1.01, time, samples)  # at 24 s, 240 ms late
    assert audio_video_drift(landmarks, slow, rate=44_100) - own == pytest.approx(240, abs=50)
