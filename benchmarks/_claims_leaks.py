"""What is not a matter of who is tested: copies, altered copies, scaling, and choosing on the test side."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import librosa
import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ser_experiments import Corpus, extract
from ser_experiments.frames import Predictions

#: What makes a copy of a recording: samples and their rate in, samples out.
Alter = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
_EPOCHS = 60


def _svm() -> Any:
    return make_pipeline(StandardScaler(), SVC(C=3.0, class_weight="balanced"))


def _as(corpus: Corpus, ids: Sequence[str], predicted: Sequence[str]) -> Predictions:
    """Return answers as a run keeps them; ids may end in ``#`` and what tells copies apart."""
    rows = corpus.utterances.loc[[one.split("#")[0] for one in ids], ["speaker", "session", "label"]]
    rows = rows.assign(group=rows["speaker"], fold="test", predicted=list(predicted))
    return Predictions(rows.set_axis(pd.Index(list(ids), name="utterance_id")), corpus.task)


def _split_and_answer(features: pd.DataFrame, label: pd.Series, share: float, seed: int) -> pd.Series:
    train, test = train_test_split(list(features.index), test_size=share, random_state=seed)
    model = _svm().fit(features.loc[train], label[train])
    return pd.Series(model.predict(features.loc[test]), index=test)


def _altered(
    corpus: Corpus, alter: Callable[[NDArray[np.float32], int], NDArray[np.float32]], mark: str
) -> pd.DataFrame:
    rows = {}
    for one, path in corpus.utterances["path"].items():
        samples, rate = soundfile.read(str(path), dtype="float32")
        rows[f"{one}#{mark}"] = extract("lld", alter(samples, rate), rate)
    return pd.DataFrame(rows).T


def _encoded(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    kept = io.BytesIO()
    soundfile.write(kept, samples, rate, format="OGG", subtype="VORBIS")
    kept.seek(0)
    return soundfile.read(kept, dtype="float32")[0]


def _noisy(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(len(samples))
    loud = 0.035 * drawn.uniform() * np.abs(samples).max()
    return (samples + loud * drawn.normal(size=len(samples))).astype(np.float32)


def _stretched(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    slower = librosa.effects.time_stretch(samples, rate=0.8)
    return np.asarray(librosa.effects.pitch_shift(slower, sr=rate, n_steps=0.7), dtype=np.float32)


def _left_out(features: pd.DataFrame, label: pd.Series, speaker: pd.Series, make: Callable[[], Any]) -> pd.Series:
    answers = pd.Series(index=features.index, dtype=object)
    for train, test in LeaveOneGroupOut().split(features, groups=speaker):
        answers.iloc[test] = make().fit(features.iloc[train], label.iloc[train]).predict(features.iloc[test])
    return answers


def _epochs(features: pd.DataFrame, label: pd.Series, speaker: pd.Series) -> dict[str, pd.Series]:
    """Answer by the epoch that is best on the tested speaker, by the last, and by the best on a held-out one."""
    found = {how: pd.Series(index=features.index, dtype=object) for how in ("test", "last", "held out")}
    names, classes = sorted(speaker.unique()), sorted(label.unique())
    for train, test in LeaveOneGroupOut().split(features, groups=speaker):
        tested = speaker.iloc[test[0]]
        other = names[(names.index(tested) + 1) % len(names)]
        held = speaker.iloc[train].to_numpy() == other
        for how, rows, watched in (("test", train, test), ("held out", train[~held], train[held])):
            scaler = StandardScaler().fit(features.iloc[rows])
            inputs, watch, asked = (scaler.transform(features.iloc[of]) for of in (rows, watched, test))
            network = MLPClassifier((128,), learning_rate_init=1e-3, random_state=0)
            best = -1.0
            for _ in range(_EPOCHS):
                network.partial_fit(inputs, label.iloc[rows], classes=classes)
                right = float((network.predict(watch) == label.iloc[watched]).mean())
                if right > best:
                    best = right
                    found[how].iloc[test] = network.predict(asked)
            if how == "test":
                found["last"].iloc[test] = network.predict(asked)
    return found


def _families(features: pd.DataFrame, label: pd.Series, speaker: pd.Series) -> dict[str, pd.Series]:
    """Answer by the family of five that is best on the tested speaker, and by the best on inner folds."""
    makers: Mapping[str, Callable[[], Any]] = {
        "svc": SVC,
        "forest": lambda: RandomForestClassifier(random_state=0),
        "neighbours": KNeighborsClassifier,
        "mlp": lambda: MLPClassifier(random_state=0, max_iter=100),
        "bagging": lambda: BaggingClassifier(random_state=0),
    }
    found = {how: pd.Series(index=features.index, dtype=object) for how in ("test", "inner folds")}
    for train, test in LeaveOneGroupOut().split(features, groups=speaker):
        inner, tested, answers = {}, {}, {}
        for name, make in makers.items():
            model = make_pipeline(StandardScaler(), make()).fit(features.iloc[train], label.iloc[train])
            answers[name] = model.predict(features.iloc[test])
            tested[name] = float((answers[name] == label.iloc[test]).mean())
            told = pd.Series(index=range(len(train)), dtype=object)
            for fit, held in GroupKFold(3).split(train, groups=speaker.iloc[train]):
                inside = make_pipeline(StandardScaler(), make()).fit(features.iloc[train[fit]], label.iloc[train[fit]])
                told.iloc[held] = inside.predict(features.iloc[train[held]])
            inner[name] = balanced_accuracy_score(label.iloc[train], told)
        found["test"].iloc[test] = answers[max(tested, key=lambda one: tested[one])]
        found["inner folds"].iloc[test] = answers[max(inner, key=lambda one: inner[one])]
    return found


def leaks(
    corpus: Corpus,
    features: pd.DataFrame,
    between: Callable[[Predictions, Predictions], list[float]],
    score: Callable[[Predictions], list[float]],
    only: Collection[str] = (),
) -> dict[str, Any]:
    """Take the price of each, beside the same without it; of all where none is named."""
    label, speaker = corpus.utterances["label"], corpus.utterances["speaker"]
    features = features.loc[label.index]
    found: dict[str, Any] = {}

    def keep(what: str, leaky: pd.Series, clean: pd.Series) -> None:
        ids = list(leaky.index)
        mine, other = _as(corpus, ids, leaky), _as(corpus, ids, clean[[one.split("#")[0] for one in ids]])
        found[what] = {"tested": len(ids), "uar": score(mine), "without": score(other),
                       "difference": between(mine, other)}  # fmt: skip
        print(what, found[what], flush=True)

    def asked(what: str) -> bool:
        return not only or what in only

    apart = _left_out(features, label, speaker, _svm)
    keep("split-33", _split_and_answer(features, label, 0.33, 42), apart)
    for what, marks, share, seed in (
        ("copies", {"copy": _encoded}, 0.33, 42),
        ("altered", {"noise": _noisy, "stretched": _stretched}, 0.25, 0),
    ):
        if not asked(what):
            continue
        table = pd.concat([features, *(_altered(corpus, alter, mark) for mark, alter in marks.items())])
        table = table[features.columns].astype(float)
        labels = pd.Series(label[[one.split("#")[0] for one in table.index]].to_numpy(), index=table.index)
        answers = _split_and_answer(table, labels, share, seed)
        trained = {one.split("#")[0] for one in set(table.index) - set(answers.index)}
        keep(what, answers, apart)
        in_training = float(np.mean([one.split("#")[0] in trained for one in answers.index]))
        found[what]["copy_in_training"] = round(in_training, 4)
    if asked("scaled"):
        scaled = pd.DataFrame(StandardScaler().fit_transform(features), features.index, features.columns)
        keep("scaled", _left_out(scaled, label, speaker, lambda: SVC(C=3.0, class_weight="balanced")), apart)
    if asked("epoch"):
        epochs = _epochs(features, label, speaker)
        keep("epoch", epochs["test"], epochs["last"])
        keep("epoch-held-out", epochs["held out"], epochs["last"])
    if asked("family"):
        families = _families(features, label, speaker)
        keep("family", families["test"], families["inner folds"])
    return found
