"""Identity removal: the published method against its own results, the repaired one against known truth."""

import h5py
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face import identity, points
from talkface.face.detection import landmark_shard
from talkface.face.template import load_template


@pytest.fixture
def template():
    return load_template()


def talking_face(template, *, frames=60, scale=120.0):
    """A template whose inner lips open and close while the head turns, moves and grows: pixels, and the bare motion."""
    phase = np.linspace(0, 6 * np.pi, frames)
    motion = np.repeat(template[None], frames, axis=0)
    opening = 0.1 * (1 - np.cos(phase))  # closed in the first frame
    motion[:, [65, 66, 67, *range(55, 60), 8], 1] += opening[:, None]
    motion[:, [48, 60], 0] -= 0.02 * np.sin(3 * phase)[:, None]
    angle = 0.2 * np.sin(phase / 3)
    turn = np.stack([np.stack([np.cos(angle), -np.sin(angle)], -1), np.stack([np.sin(angle), np.cos(angle)], -1)], -2)
    size = scale * (1 + 0.1 * np.sin(phase / 2))
    shift = np.stack([300 + 20 * np.sin(phase), 200 + 10 * np.cos(phase)], -1)
    return size[:, None, None] * (motion @ turn.swapaxes(-1, -2)) + shift[:, None], motion


def test_similarity_is_exact(template):
    moved, _ = talking_face(template)
    matrix, offset = identity.fit_similarity(moved[:, list(points.STABLE)], template[list(points.STABLE)])
    back = moved[0] @ matrix[0].T + offset[0]
    np.testing.assert_allclose(back[list(points.STABLE)], template[list(points.STABLE)], atol=1e-12)


def test_fixed_recovers_the_motion_of_a_moving_head(template):
    pixels, motion = talking_face(template)
    shape, [reference] = identity.neutral_shapes(
        [pixels], template=template, method="fixed", threshold=0.1, reference_frames=1
    )
    np.testing.assert_allclose(shape, motion - motion[reference] + template, atol=1e-5)
    assert points.mouth_opening(motion[reference]) == pytest.approx(points.mouth_opening(motion).min(), abs=1e-6)


def test_a_smooth_alignment_follows_the_head_and_not_the_noise(template):
    pixels, motion = talking_face(template)
    lips = list(points.LIPS)
    followed = identity.align(pixels, template, smooth_frames=9)
    assert np.abs(followed - motion).max() < 0.012  # a head that goes to and fro in 0.8 s
    noisy = pixels + np.random.default_rng(0).normal(0, 1, pixels.shape)  # pixels of 120 between the eyes
    errors = [np.abs(identity.align(noisy, template, smooth_frames=k) - motion)[:, lips].mean() for k in (0, 9)]
    assert errors[1] < 0.8 * errors[0]
    for few in (1, 2, 3, 4, 8):
        assert identity.align(pixels[:few], template, smooth_frames=9).shape == (few, 68, 2)


def test_a_clip_of_its_own_reference_is_free_of_how_the_head_is_held(template):
    """Two clips of one person, the head raised in the second, and a third in which the mouth never closes."""
    _, motion = talking_face(template)
    raised = motion.copy()
    raised[:, list(points.LIPS), 1] += 0.05
    opened = motion.copy()
    opened[:, [65, 66, 67, *range(55, 60)], 1] += 0.1
    keywords = {"template": template, "method": "fixed", "threshold": 1.0, "reference_frames": 3}
    shape, _ = identity.neutral_shapes([120 * motion, 120 * raised], reference="clip", **keywords)
    np.testing.assert_allclose(*np.split(shape, 2), atol=1e-5)
    shape, closed = identity.neutral_shapes([120 * motion, 120 * opened], reference="clip", **keywords)
    assert np.subtract(*np.split(shape, 2)).min() == pytest.approx(-0.1, abs=1e-4)
    assert closed[0] == closed[1] < len(motion)
    shared, _ = identity.neutral_shapes([120 * motion, 120 * raised], reference="speaker", **keywords)
    assert np.abs(np.subtract(*np.split(shared, 2))).max() == pytest.approx(0.05, abs=1e-4)


def test_fixed_frees_of_identity(template):
    """Two faces of other proportions that move alike give the same shapes."""
    wide = template * [1.15, 0.9]
    _, motion = talking_face(template)
    keywords = {"template": template, "method": "fixed", "threshold": 0.5, "reference_frames": 3}
    one, _ = identity.neutral_shapes([120 * motion], **keywords)
    other, _ = identity.neutral_shapes([120 * (motion + wide - template)], **keywords)
    lips = list(points.LIPS)
    assert np.abs(one[:, lips] - other[:, lips]).max() < 0.03
    aligned = identity.align(120 * (motion + wide - template), template)
    assert np.abs(aligned[:, lips] - one[:, lips]).max() > 0.1  # without removal they do differ


def test_published_moves_the_face_with_the_mouth(template):
    """The defect the repair is for: Procrustes over all points lets an opening mouth shift the eyes."""
    pixels, motion = talking_face(template)
    keywords = {"template": template, "threshold": 1.3, "reference_frames": 1}
    fixed, _ = identity.neutral_shapes([pixels], method="fixed", **keywords)
    published, _ = identity.neutral_shapes([pixels], method="published", **keywords)
    eyes = list(points.EYES)
    assert np.abs(fixed[:, eyes] - template[eyes]).max() < 1e-4
    assert np.abs(published[:, eyes] - template[eyes]).max() > 5e-3
    assert np.abs(published - motion).max() < 0.2  # yet it stands in the template frame


def test_published_reproduces_its_own_results(shared_data):
    reference = shared_data / "reference"
    pixels = np.load(reference / "obama2s_dlib.npy")
    aligned = identity.resample_published(identity.align_procrustes(pixels))
    np.testing.assert_allclose(aligned, np.load(reference / "obama2s_25fps.npy"), rtol=0, atol=1e-12)
    frame = identity.closure_order(aligned, threshold=1.3, pairs=identity.STORED_LIP_PAIRS)[0]
    template = np.load(reference / "eskimez2020_mean.npy")[:, :2]
    removed = identity.remove_identity(aligned, reference=aligned[frame], template=template)
    np.testing.assert_allclose(removed, np.load(reference / "obama2s_identity_removed.npy"), rtol=0, atol=1e-12)


def test_closure_order_leaves_wide_mouths_out(template):
    frames = np.repeat(template[None], 4, axis=0)
    frames[:, [61, 62, 63], 1] -= np.array([0.02, 0.0, 0.05, 0.03])[:, None]
    frames[1, 60, 0] -= 0.3  # the most closed, but a grin
    np.testing.assert_array_equal(identity.closure_order(frames, threshold=1.0), [0, 3, 2])


def test_closure_order_leaves_pursed_lips_out(template):
    """The least lip distance alone picks pursed lips ; those closed at rest are wanted."""
    frames = np.repeat(template[None], 6, axis=0)
    frames[:, [61, 62, 63], 1] -= np.array([0.02, 0.0, 0.05, 0.03, 0.06, 0.04])[:, None]
    frames[1, 60, 0] += 0.3  # the most closed, but pursed
    np.testing.assert_array_equal(identity.closure_order(frames, threshold=1.0), [0, 3, 5, 2, 4])


def test_real_clips_have_the_reference_of_the_toolkit(shared_data, tmp_path):
    """Twelve clips of GRID: the rule as the replication toolkit states it, written out once more."""
    own, others = (sorted((shared_data / "grid" / folder).glob("*.mpg")) for folder in ("s1", "others"))
    videos = own[:8] + others[:4]
    clips, none = [video.stem for video in videos], [None] * 12
    landmark_shard(videos, tmp_path / "landmarks.h5", clips=clips, start_s=none, end_s=none)
    checked = 0
    with h5py.File(tmp_path / "landmarks.h5") as file:
        for clip in clips:
            if file[clip].attrs["rejected"]:
                continue
            aligned = identity.align_procrustes(file[clip]["landmarks"][:].astype(np.float64))
            width = np.linalg.norm(aligned[:, 60] - aligned[:, 64], axis=1)
            lips = np.linalg.norm(aligned[:, 61:64] - aligned[:, 65:68], axis=2).sum(axis=1)
            for threshold in (1.3, 0.1):
                near = np.abs((width - width.mean()) / width.std()) < threshold
                if near.any():
                    order = identity.closure_order(aligned, threshold=threshold, pairs=identity.STORED_LIP_PAIRS)
                    assert order[0] == np.flatnonzero(near)[lips[near].argmin()], (clip, threshold)
                    checked += 1
    assert checked > 20


@pytest.mark.parametrize(("method", "threshold"), [("published", 0.1), ("published", 1.3), ("fixed", 1.0)])
def test_the_reference_is_never_pursed(template, method, threshold):
    _, motion = talking_face(template)
    narrow = motion.copy()
    narrow[5:12, 48:68, 0] *= 0.5  # lips pushed forward for 0.3 s, and closed
    narrow[5:12, [65, 66, 67], 1] = narrow[5:12, [63, 62, 61], 1]
    _, [reference] = identity.neutral_shapes(
        [200 * narrow], template=template, method=method, threshold=threshold, reference_frames=1
    )
    assert reference not in range(5, 12)


def test_where_no_width_is_near_the_mean_the_nearest_are_taken(template, caplog):
    """Two frames lie one deviation away each; so does each half of a clip that knows two widths."""
    frames = np.repeat(template[None], 2, axis=0)
    frames[1, 60, 0] -= 0.1
    frames[1, [61, 62, 63], 1] -= 0.05
    assert sorted(identity.closure_order(frames, threshold=0.5)) == [0, 1]
    assert "no mouth is within 0.5 standard deviations of the mean width; taken are the 2 nearest, 1.00" in caplog.text


def test_no_face_and_no_threshold_are_refused(template):
    with pytest.raises(TalkfaceError, match="no frame shows a face"):
        identity.align_procrustes(np.full((3, 68, 2), np.nan))
    with pytest.raises(TalkfaceError, match="is -5; a number of standard deviations above 0 was expected"):
        identity.closure_order(np.stack([template, template * 1.01]), threshold=-5)


def test_no_reference_is_taken_from_a_mouth_that_is_not_trusted(template):
    pixels, _ = talking_face(template)
    pursed = pixels.copy()
    pursed[:, list(points.LIPS), 1] = pixels[:1, list(points.LIPS), 1].mean()  # the most closed of all
    keywords = {
        "template": template, "method": "fixed", "threshold": 5.0, "reference_frames": 1, "smooth_frames": 0,
    }  # fmt: skip
    for reference in ("speaker", "clip"):
        shape, closed = identity.neutral_shapes(
            [pixels, pursed], reference=reference, trusted=[True, False], **keywords
        )
        alone, [best] = identity.neutral_shapes([pixels], reference=reference, **keywords)
        assert closed == [best, best]
        np.testing.assert_allclose(shape[: len(pixels)], alone)
    _, closed = identity.neutral_shapes([pixels, pursed], reference="speaker", **keywords)
    assert closed[0] >= len(pixels)
    # Where no mouth is trusted, those there are serve.
    _, closed = identity.neutral_shapes([pixels, pursed], reference="speaker", trusted=[False, False], **keywords)
    assert closed[0] >= len(pixels)


def test_shapes_of_speaker(tmp_path, template):
    pixels, motion = talking_face(template)
    files = {"a": tmp_path / "a.h5", "b": tmp_path / "b.h5", "c": tmp_path / "c.h5"}
    for clip, part in (("a", pixels[25:]), ("b", pixels[:25]), ("c", None)):
        with h5py.File(files[clip], "w") as file:
            group = file.create_group(clip)
            group.attrs["digest"] = f"digest of {clip}"
            group.attrs["rejected"] = "no face" if part is None else ""
            if part is not None:
                group["landmarks"] = part.astype(np.float32)
    output = tmp_path / "speaker.h5"
    identity.shapes_of_speaker(
        files,
        output=output,
        template=template,
        method="fixed",
        threshold=1.0,
        reference_frames=1,
        smooth_frames=0,
        reference="speaker",
    )
    with h5py.File(output) as file:
        assert file["c"].attrs["rejected"] == "no face"
        assert "shape" not in file["c"]
        clip, frame = file["a"].attrs["reference_clip"], file["a"].attrs["reference_frame"]
        offset = {"a": 25, "b": 0}[clip] + frame
        together = np.concatenate([file["b/shape"][:], file["a/shape"][:]])
        np.testing.assert_allclose(together, motion - motion[offset] + template, atol=1e-4)
        assert file["b"].attrs["digest"] == "digest of b"


def test_faces_of_another_detector_rest_on_the_template_all_the_same(template):
    other = load_template("mesh")
    motion = np.repeat(other[None], 40, axis=0)
    motion[10:20, 65:68, 1] += 0.1  # the lower lip
    shape, _ = identity.neutral_shapes(
        [120 * motion + 50], template=template, aligned_to=other, method="fixed", threshold=1.0, reference_frames=5
    )
    np.testing.assert_allclose(shape[0], template, atol=1e-6)
    np.testing.assert_allclose(shape[15] - shape[0], motion[15] - motion[0], atol=1e-6)
