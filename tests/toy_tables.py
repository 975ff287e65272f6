"""Made-up tables of an evaluation, with the columns of the real ones and numbers known beforehand."""

import numpy as np
import pandas as pd

KINDS = ("environment", "babble", "talker", "music", "white", "pink")
SNR_DB = tuple(range(-10, 31, 5))
NETWORKS = {
    "talkface": "talkface",
    "cnn": "cnn",
    "cnn_nr": "cnn",
    "cnn_tc": "cnn",
    "cnn_tc_nr": "cnn",
    "lstm_d40_c3": "lstm",
    "fft_cnn": "fft_cnn",
}
# Lip error when clean, and what noise adds at -10 dB.
ERRORS = {
    "talkface": (1.6, 0.9),
    "cnn": (2.3, 1.5),
    "cnn_nr": (2.35, 0.7),
    "cnn_tc": (2.4, 1.4),
    "cnn_tc_nr": (2.45, 0.8),
    "lstm_d40_c3": (2.0, 1.6),
    "fft_cnn": (2.6, 1.2),
}
MEASURES = (
    *("lip_rmse", "face_rmse", "lip_rmse_first_difference", "lip_rmse_second_difference", "coefficient_l1"),
    *("lip_rmse_width1", "box_mse", "lmd_sum", "lmd_mean", "opening_distance", "opening_correlation"),
    "opening_correlation_shifted",
    *("sync_truth_ms", "sync_audio_ms", "silence_closed"),
    *("rest_opening", "opening_kept", "closure_rate", "closure_gap", "lip_rounding", "lip_teeth_gap"),
    *("weight_error", "jaw_correlation", "depth_rmse", "jitter_ratio"),
)
FLOORS = {
    "floor:mean_face": 3.06,
    "ceiling:shifted_1": 0.9,
    "ceiling:shifted_2": 1.5,
    "ceiling:detector": 0.45,
    "truth": 0.0,
}
SPEAKERS = {"test": {"iris": 4, "jonas": 4}, "unseen": {"s2": 2, "s3": 1, "s4": 1, "s5": 1}}
SUMMARY = ("model", "corpus", "detector", "split", "condition", "snr_db", "measure", "value", "low", "high", "clips")


def measures_of(error, generator):
    """A number for each measure, in keeping with a lip error."""
    correlation = float(np.clip(1.25 - 0.35 * error, -1, 1)) if error < 3 else np.nan
    values = {"lip_rmse": error, "opening_correlation": correlation}
    values |= {"sync_truth_ms": 10.0, "sync_audio_ms": 60.0, "silence_closed": 0.8, "jitter_ratio": 0.7}
    values |= {"closure_rate": 0.9 - 0.1875 * error}
    return {name: values.get(name, error * (0.3 + 0.05 * MEASURES.index(name))) for name in MEASURES}


def lip_error(model, snr_db, kind_index=2):
    """The lip error that a model is given."""
    clean, noisy = ERRORS.get(model, (2.5, 1.0))
    return clean + (0 if np.isnan(snr_db) else noisy * (0.7 + 0.12 * kind_index) * (30 - snr_db) / 40)


def summary_table(*, networks=NETWORKS, splits=("test", "unseen"), seeds=True):
    generator = np.random.default_rng(0)
    rows = []

    def add(model, split, condition, snr_db, error, names=MEASURES):
        for name, value in measures_of(error, generator).items():
            if name in names:
                half = 0.15 * abs(value) + 0.02
                clips = sum(SPEAKERS[split].values())
                where = (model, "toy", "dlib", split, condition, snr_db, name)
                rows.append((*where, value, value - half, value + half, clips))

    for split in splits:
        worse = 0.4 * (split == "unseen")
        for model in networks:
            add(model, split, "clean", np.nan, lip_error(model, np.nan) + worse)
            add(f"{model}:shuffled", split, "clean", np.nan, 3.9)
            add(f"{model}:other_audio", split, "clean", np.nan, 3.7)
            for snr_db in SNR_DB:
                for index, kind in enumerate(KINDS):
                    add(model, split, kind, snr_db, lip_error(model, snr_db, index) + worse)
                add(model, split, "all", snr_db, lip_error(model, snr_db) + worse)
        for floor, error in FLOORS.items():
            add(floor, split, "clean", np.nan, error)
    for model in networks:
        rows.append((model, "toy", "dlib", "train", "clean", np.nan, "training_steps", 420, np.nan, np.nan, 0))
    if seeds:
        for measure, mean in (("lip_rmse", 1.6), ("opening_correlation", 0.8)):
            values = ("clean", np.nan, f"{measure}_over_seeds", 0.03, mean - 0.04, mean + 0.05, 3)
            rows.append(("talkface", "toy", "dlib", "test", *values))
    return pd.DataFrame(rows, columns=SUMMARY)


def pairs_table(*, networks=NETWORKS, splits=("test", "unseen")):
    rows = []
    models = list(networks)
    for split in splits:
        for model in models:
            for other in models:
                if other == model:
                    continue
                for snr_db in (np.nan, *SNR_DB):
                    condition = "clean" if np.isnan(snr_db) else "all"
                    a, b = lip_error(model, snr_db), lip_error(other, snr_db)
                    error = (a - b, a - b - 0.1, a - b + 0.1, *(100 * (b - a + d) / b for d in (0, -0.1, 0.1)))
                    both = (model, other, "dlib", split, condition, snr_db)
                    rows.append((*both, "lip_rmse", *error, 0.01 if abs(a - b) > 0.1 else 0.4, 8))
                    step = -0.35 * (a - b)
                    better = (step, step - 0.03, step + 0.03, *(100 * (step + d) for d in (0, -0.03, 0.03)))
                    rows.append((*both, "opening_correlation", *better, 0.02, 8))
    columns = ("model", "other", "detector", "split", "condition", "snr_db", "measure", "difference", "low", "high")
    return pd.DataFrame(rows, columns=(*columns, "gain", "gain_low", "gain_high", "p", "clips"))


def clips_of(splits):
    return [
        (split, f"{speaker}_{number}", speaker)
        for split in splits
        for speaker, count in SPEAKERS[split].items()
        for number in range(1, count + 1)
    ]


def clips_table(model, *, splits=("test", "unseen")):
    generator = np.random.default_rng(len(model))
    rows = []
    for split, clip, speaker in clips_of(splits):
        factor = 1 + 0.15 * generator.standard_normal()
        for condition, snr_db in (("clean", np.nan), ("babble", 0.0)):
            error = lip_error(model, snr_db) * factor
            where = (model, "toy", "dlib", split, clip, speaker, "words")
            rows.append((*where, condition, snr_db, "", *measures_of(error, None).values()))
        rows.append((*where, "clean", np.nan, "shuffled", *measures_of(3.9, None).values()))
    columns = ("model", "corpus", "detector", "split", "clip", "speaker", "phones", "condition", "snr_db", "control")
    return pd.DataFrame(rows, columns=(*columns, *MEASURES))


def worst_table(*, networks=NETWORKS, splits=("test", "unseen"), count=3):
    rows = []
    for split in splits:
        for model in networks:
            table = clips_table(model, splits=splits).query(
                "split == @split and condition == 'clean' and control == ''"
            )
            for _, row in table.nlargest(count, "lip_rmse").iterrows():
                rows.append((split, "dlib", model, *row[["clip", "speaker", "lip_rmse", "opening_correlation"]]))
    columns = ("split", "detector", "model", "clip", "speaker", "lip_rmse", "opening_correlation")
    return pd.DataFrame(rows, columns=columns)


def zoo_table(networks):
    training = (420, 100_000, 0.003, "cosine", "16 x 75", 31.8, 258, 0.0154)
    rows = [(model, "dlib", "dlib", *training, ("yes", "no")[place % 2]) for place, model in enumerate(networks)]
    columns = ("model", "detector", "learnt_from", "steps", "parameters", "learning_rate", "schedule", "batch")
    return pd.DataFrame(rows, columns=(*columns, "seconds", "best_step", "valid_loss", "stopped_early"))


def curve_table():
    steps = np.arange(2, 422, 4)
    loss = 0.01 + 0.02 * np.exp(-steps / 80)
    table = {"step": steps, "epoch": steps // 2, "train_loss": loss, "valid_loss": loss + 0.002 + 1e-5 * steps}
    return pd.DataFrame(table | {"seconds": steps * 0.08})


def write_tables(folder, *, networks=NETWORKS, splits=("test", "unseen"), seeds=True):
    """Write all of them under a folder as results/evaluation/ has them; curves/{model}.tsv beside."""

    def write(table, name):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, sep="\t", index=False, float_format="%.5g")
        return path

    return {
        "summary": write(summary_table(networks=networks, splits=splits, seeds=seeds), "summary.tsv"),
        "pairs": write(pairs_table(networks=networks, splits=splits), "pairs.tsv"),
        "worst": write(worst_table(networks=networks, splits=splits), "worst.tsv"),
        "zoo": write(zoo_table(networks), "zoo.tsv"),
        "clips": {m: write(clips_table(m, splits=splits), f"clips/{m}.tsv") for m in networks},
        "curves": {m: write(curve_table(), f"curves/{m}.tsv") for m in networks},
    }
