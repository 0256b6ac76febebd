"""Saved models that were altered: a line that says so, never a process that ends or an answer without end.

Whoever alters a model alters its digest as well, so each change here comes with a digest that is right.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator, skops_io
from ser_experiments.models.sound import check_sound, check_tree, types_of
from ser_experiments.models.spec import get_model
from ser_experiments.models.zoo._lightgbm_text import check_text
from ser_experiments.models.zoo._xgboost_bytes import check_booster
from ser_experiments.serving import TableModel
from ser_experiments.serving.folder import ABOUT, ESTIMATOR, load_any, save_model
from ser_experiments.tasks.classes import Classes

CLASSES = ["a", "b", "c"]
COLUMNS = [f"x{i}" for i in range(5)]
META: dict[str, Any] = {"experiment": "x", "setting": "s", "uar": 0.5, "normalize": "none", "notes": ["a note"]}
_RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(_RNG.normal(size=(60, 5)), columns=COLUMNS)
LABELS = np.array(CLASSES)[_RNG.integers(0, 3, 60)]
TABLE["x0"] += 2.0 * (LABELS == "a")
SMALL: dict[str, dict[str, int]] = {
    "lightgbm": {"n_estimators": 3, "num_leaves": 4}, "xgboost": {"n_estimators": 2, "max_depth": 2},
    "random_forest": {"n_estimators": 2}, "gradient_boosting": {"n_estimators": 2}, "svm": {}, "dummy": {},
}  # fmt: skip


@cache
def fitted(family: str, n_classes: int = 3) -> BaseEstimator:
    rows = np.isin(LABELS, CLASSES[:n_classes])
    return get_model(family).build(**SMALL[family]).fit(TABLE[rows].to_numpy(), LABELS[rows])


def saved(folder: Path, estimator: BaseEstimator | None = None, **meta: object) -> Path:
    """Write a model that takes a table, whatever its estimator is."""
    model = TableModel(estimator or fitted("dummy"), COLUMNS, {**META, **meta})
    object.__setattr__(model, "task", type("task", (), {"kind": "classes", "targets": CLASSES})())
    save_model(model, folder)
    return folder


def told(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a model says of itself."""
    path = folder / ABOUT
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))


def altered(folder: Path, content: bytes) -> None:
    """Put another estimator in, with the digest that it has."""
    (folder / ESTIMATOR).write_bytes(content)
    told(folder, lambda about: about.update(estimator_digest=identity.of_file(folder / ESTIMATOR)))


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_any(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 600
    return said


# --- what a model says of itself ---------------------------------------------------------------------------------

NONSENSE: dict[str, tuple[str, object, str]] = {
    "no format": ("format", None, "not of format 1"),
    "classes that are none": ("classes", "abc", "'classes' must be"),
    "classes twice": ("classes", ["a", "a"], "'classes' must be"),
    "a class that is no word": ("classes", ["a", "b\x1b[2J"], "not printable"),
    "a task that is none": ("task", ["a"], "'task' must be"),
    "a task of numbers": ("task", {"kind": "classes", "targets": [1, 2]}, "'task' must be"),
    "a task of nothing": ("task", {"kind": "classes", "targets": []}, "'task' must be"),
    "another kind": ("task", {"kind": "weather", "targets": ["a"]}, "unknown here"),
    "a target that is no word": ("task", {"kind": "classes", "targets": ["a" * 300]}, "at most 200"),
    "other classes": ("task", {"kind": "classes", "targets": ["a", "b"]}, "other classes than model.json"),
    "columns that are none": ("columns", {"a": 1}, "'columns' must be"),
    "columns twice": ("columns", ["x", "x"], "'columns' must be"),
    "an experiment that is none": ("experiment", 3, "'experiment' must be text"),
    "an experiment of an escape": ("experiment", "\x1b[2J", "not printable"),
    "notes that are none": ("notes", "x", "'notes' must be"),
    "notes without end": ("notes", ["x"] * 1000, "'notes' must be"),
    "ranges that are none": ("training", {"sample_rate": 16000, "duration_s": [1]}, "'training' must be"),
    "ranges without a rate": ("training", {"duration_s": [1, 2]}, "'training' must be"),
    "ranges of texts": ("training", {"sample_rate": 1, "rms_db": ["a", "b"]}, "'training' must be"),
    "other parts": ("estimators", ["sklearn.svm._classes.SVC"], "does not match model.json"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_a_model_cannot_say_of_itself(name: str, tmp_path: Path) -> None:
    key, value, said = NONSENSE[name]
    folder = saved(tmp_path / "model")
    told(folder, lambda about: about.update({key: value}))
    assert said in refused(folder)


def test_a_model_of_an_older_version_is_read(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    told(folder, lambda about: [about.pop(key) for key in ("estimators", "task", "experiment", "notes")])
    model = load_any(folder)
    assert model.meta["experiment"] == "unnamed"
    assert list(model.task.targets) == CLASSES


def test_a_note_is_shown_in_one_line(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", notes=["a\x1b[2J\nb"])
    assert load_any(folder).meta["notes"] == ["a\\x1b[2J\\nb"]


# --- what stands in the place of its estimator -------------------------------------------------------------------

ROOTS: dict[str, Callable[[], object]] = {
    "a scaler": lambda: StandardScaler().fit(TABLE),
    "clusters": lambda: KMeans(2, n_init=1).fit(TABLE),
    "unfitted": DummyClassifier,
    "other classes": lambda: DummyClassifier().fit(TABLE, LABELS == "a"),
    "a list": lambda: [1, 2],
    "a text": lambda: "predict_proba",
}


@pytest.mark.parametrize("name", ROOTS)
def test_what_is_no_classifier_of_these_classes(name: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    altered(folder, skops_io().dumps(ROOTS[name]()))
    told(folder, lambda about: about.pop("estimators"))
    assert "estimator.skops" in refused(folder)


def test_an_estimator_of_other_parts_than_were_saved(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    altered(folder, skops_io().dumps(make_pipeline(StandardScaler(), fitted("dummy")).fit(TABLE, LABELS)))
    assert "does not match model.json" in refused(folder)


def test_the_bytes_that_are_checked_are_those_that_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged between the look at its digest and its reading is not read."""
    folder = saved(tmp_path / "model")
    plain = identity.of_bytes

    def exchanged(blocks: Any, **how: Any) -> str:
        (folder / ESTIMATOR).write_bytes(b"another")
        return plain(blocks, **how)

    monkeypatch.setattr(identity, "of_bytes", exchanged)
    assert list(load_any(folder).task.targets) == CLASSES


def repacked(content: bytes, change: Callable[[str, bytes], bytes], **how: Any) -> bytes:
    """Write the archive anew, each file changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", **how) as new:
        for one in old.infolist():
            new.writestr(one.filename, change(one.filename, old.read(one)))
    return out.getvalue()


@pytest.mark.slow
def test_an_archive_that_is_packed_hides_or_repeats(tmp_path: Path) -> None:
    path = tmp_path / "x.skops"
    save_estimator(fitted("svm"), path)
    plain = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        arrays = [one for one in packed.infolist() if one.filename != "schema.json"]
        largest = max(arrays, key=lambda one: one.file_size).filename

    def same(_: str, data: bytes) -> bytes:
        return data

    def zeros(name: str, data: bytes) -> bytes:
        return data if name == "schema.json" else bytes(80 << 20)

    def hiding(name: str, data: bytes) -> bytes:
        return data.replace(b'"SVC"', rb'"\u0053VC"') if name == "schema.json" else data

    def often(name: str, data: bytes) -> bytes:
        if name != "schema.json":
            return data
        repeated = b'{"file": "' + largest.encode() + b'"}'
        return data[:1] + b'"x": [' + b",".join([repeated] * 200_000) + b"]," + data[1:]

    for content, said in (
        (repacked(plain, zeros, compression=zipfile.ZIP_DEFLATED), "it is packed so that"),
        (repacked(plain, hiding), "hides names"),
        (repacked(plain, often), "too often"),
        (plain[: len(plain) // 2], "not a model file"),
        (b"", "not a model file"),
        (repacked(plain, lambda name, data: b"[" * 100_000 if name == "schema.json" else data), "not a model file"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            load_estimator(path)
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # whoever packs a model may do so
        path.write_bytes(repacked(plain, same, compression=how))
        load_estimator(path)


# --- numbers that compiled code follows --------------------------------------------------------------------------


def svm(**changes: Any) -> BaseEstimator:
    machine = skops_io().loads(skops_io().dumps(fitted("svm")), trusted=["ser_experiments.models.pairwise.SVC"])
    for name, value in changes.items():
        setattr(machine, name, value)
    return machine


def forest(family: str, **changes: Any) -> BaseEstimator:
    data = skops_io().dumps(fitted(family))
    one = skops_io().loads(data, trusted=sorted(get_model(family).trusted_types))
    for name, value in changes.items():
        setattr(one, name, value)
    return one


MACHINES: dict[str, Callable[[], BaseEstimator]] = {
    "fewer vectors": lambda: svm(support_vectors_=fitted("svm").support_vectors_[:1]),
    "narrow vectors": lambda: svm(support_vectors_=fitted("svm").support_vectors_[:, :1]),
    "fewer weights": lambda: svm(_dual_coef_=fitted("svm")._dual_coef_[:, :2]),
    "more of a class": lambda: svm(_n_support=np.array([10_000, 1, 1], dtype=np.int32)),
    "less of a class": lambda: svm(_n_support=np.array([-1, 60, 1], dtype=np.int32)),
    "fewer margins": lambda: svm(_intercept_=np.zeros(1)),
    "a text": lambda: svm(_intercept_="text"),
    "strange": lambda: svm(_probA=np.zeros(2)),
    "a kernel of its own": lambda: svm(kernel="precomputed"),
    "rows that there are not": lambda: svm(support_=fitted("svm").support_ + 1000),
    "a forest of other columns": lambda: forest("random_forest", n_features_in_=3),
    "trees of other classes": lambda: forest("gradient_boosting", classes_=np.array(["a", "b"])),
    "trees a round": lambda: forest("gradient_boosting", estimators_=fitted("gradient_boosting").estimators_[:, :2]),
    "a beginning": lambda: forest("gradient_boosting", init_=DummyClassifier().fit(TABLE, LABELS == "a")),
    "another beginning": lambda: forest("gradient_boosting", init_=fitted("random_forest")),
    "threads": lambda: fitted("random_forest").__class__(n_jobs=10**9),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_of_other_numbers(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.skops"
    save_estimator(MACHINES[name](), path)
    with pytest.raises(InputError, match="not a model file of this project \\(ValueError"):
        load_estimator(path)


@pytest.mark.parametrize(
    ("left", "right", "feature"),
    [
        ([0, -1, -1], [2, -1, -1], [0, 0, 0]),  # its own child
        ([1, 0, -1], [2, 2, -1], [0, 0, 0]),  # back up
        ([1, -1, -1], [9, -1, -1], [0, 0, 0]),  # nowhere
        ([1, -1, -1], [-1, -1, -1], [0, 0, 0]),  # half a branch
        ([1, -1, -1], [2, -1, -1], [5, 0, 0]),  # a column that there is not
        ([1, -1, -1], [2, -1, -1], [-3, 0, 0]),
        ([1, -1], [2, -1, -1], [0, 0, 0]),
        ([], [], []),
    ],
)
def test_a_tree_that_is_none(left: list[int], right: list[int], feature: list[int]) -> None:
    with pytest.raises(ValueError, match="holds a tree"):
        check_tree(np.array(left), np.array(right), np.array(feature), 5)


@pytest.mark.parametrize("family", ["random_forest", "gradient_boosting"])
def test_a_tree_of_a_forest_that_leads_back_up(family: str, tmp_path: Path) -> None:
    """It would be walked for ever: scikit-learn looks at the length of its parts alone."""
    path = tmp_path / "x.skops"
    save_estimator(fitted(family), path)
    load_estimator(path)
    forest = skops_io().load(path, trusted=sorted(get_model(family).trusted_types))
    tree = np.ravel(forest.estimators_)[0].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][1:] = 0
    state["nodes"]["right_child"][1:] = 0
    tree.__setstate__(state)
    path.write_bytes(skops_io().dumps(forest))
    with pytest.raises(InputError, match="holds a tree"):
        load_estimator(path)


@cache
def text() -> str:
    return str(fitted("lightgbm")._Booster.model_to_string(num_iteration=-1))


def _line(key: str, change: Callable[[str], str], number: int = 0) -> Callable[[str], str]:
    """Change a line of the first tree, and what the head says of its size."""

    def changed(whole: str) -> str:
        lines = list(re.finditer(rf"^{key}=.*$", whole, re.MULTILINE))
        at = lines[number]
        new = f"{key}={change(at[0].partition('=')[2])}"
        sizes = re.search(r"^tree_sizes=(\d+)", whole, re.MULTILINE)
        assert sizes is not None
        grown = str(int(sizes[1]) + len(new) - len(at[0]))
        whole = whole[: at.start()] + new + whole[at.end() :]
        return whole if at.start() < sizes.end() else whole.replace(f"tree_sizes={sizes[1]}", f"tree_sizes={grown}", 1)

    return changed


def _first(word: str) -> Callable[[str], str]:
    return lambda line: " ".join([word, *line.split(" ")[1:]])


TEXTS: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "the head alone": lambda whole: whole.partition("\nTree=0")[0],
    "half of it": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: whole.replace("version", "ver\0sion"),
    "a branch to itself": _line("left_child", _first("0")),
    "a branch back up": _line("right_child", lambda line: " ".join(["0"] * len(line.split()))),
    "a branch to nowhere": _line("left_child", _first("99")),
    "a leaf beyond": _line("left_child", _first("-99")),
    "a column beyond": _line("split_feature", _first("5")),
    "a column below": _line("split_feature", _first("-1")),
    "columns without end": _line("split_feature", _first("999999999999999999999")),
    "more leaves": _line("num_leaves", lambda _: "999999999"),
    "one leaf": _line("num_leaves", lambda _: "1"),
    "no leaves": _line("num_leaves", lambda _: "0"),
    "fewer than no leaves": _line("num_leaves", lambda _: "-4"),
    "categories": _line("num_cat", lambda _: "1"),
    "lines": _line("is_linear", lambda _: "1"),
    "a decision by category": _line("decision_type", _first("1")),
    "an unknown decision": _line("decision_type", _first("1000")),
    "fewer thresholds": _line("threshold", lambda line: line.partition(" ")[2]),
    "words for numbers": _line("leaf_value", _first("one")),
    "an empty line": _line("leaf_value", lambda _: ""),
    "a line twice": _line("shrinkage", lambda line: f"{line}\nshrinkage={line}"),
    "an unknown line": _line("shrinkage", lambda line: f"{line}\ncat_threshold=1"),
    "more columns": _line("max_feature_idx", lambda _: "100000000"),
    "classes": _line("num_class", lambda _: "2"),
    "trees a round": _line("num_tree_per_iteration", lambda _: "1"),
    "objective": _line("objective", lambda _: "regression"),
    "sizes": _line("tree_sizes", _first("1")),
    "sizes below": _line("tree_sizes", _first("-5")),
    "sizes beyond": _line("tree_sizes", _first("99999999")),
    "fewer trees": _line("tree_sizes", lambda line: line.rpartition(" ")[0]),
    "names": _line("feature_names", lambda line: f"{line} one"),
    "notes": lambda whole: whole.replace("[num_leaves: 4]", "[num_leaves: 4"),
    "categories of pandas": lambda whole: whole.replace("pandas_categorical:null", "pandas_categorical:[[1]]"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_lightgbm_would_stumble_over(name: str) -> None:
    new = TEXTS[name](text())
    assert new != text()
    with pytest.raises((ValueError, OverflowError)):
        check_text(new)


def test_texts_of_lightgbm_are_taken() -> None:
    check_text(text())
    check_text(fitted("lightgbm", 2)._Booster.model_to_string())
    rows = TABLE.to_numpy()
    from lightgbm import LGBMClassifier

    for how in ({"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1}, {"boosting_type": "dart"},
                {"min_child_samples": 1000}, {"class_weight": "balanced", "extra_trees": True}):  # fmt: skip
        one = LGBMClassifier(n_estimators=3, verbosity=-1, **how).fit(rows, LABELS)
        check_text(one.booster_.model_to_string())
    named = LGBMClassifier(n_estimators=2, verbosity=-1).fit(TABLE, LABELS)
    check_text(named.booster_.model_to_string())


@pytest.mark.parametrize("name", ["a branch to itself", "a column beyond", "more leaves", "half of it"])
def test_an_altered_text_of_lightgbm_is_not_read(name: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", fitted("lightgbm"))
    load_any(folder)
    old, new = (json.dumps(json.dumps(one))[1:-1] for one in (text(), TEXTS[name](text())))

    def change(file: str, data: bytes) -> bytes:
        assert file != "schema.json" or old.encode() in data
        return data.replace(old.encode(), new.encode())

    altered(folder, repacked((folder / ESTIMATOR).read_bytes(), change))
    assert "LightGBM" in refused(folder)


def test_lightgbm_of_other_classes_or_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.skops"
    for change in (
        lambda one: one.__dict__.update(_n_features=4),
        lambda one: one._other_params.update(predict_disable_shape_check=True),
        lambda one: setattr(one, "_Booster", fitted("lightgbm", 2)._Booster),
    ):
        save_estimator(fitted("lightgbm"), path)
        one = load_estimator(path)
        change(one)
        path.write_bytes(skops_io().dumps(one))
        with pytest.raises(InputError, match="LightGBM"):
            load_estimator(path)


def ubj(change: Callable[[bytes], bytes]) -> np.ndarray:
    return np.frombuffer(change(fitted("xgboost").booster_.tobytes()), dtype=np.uint8)


def _ints(name: str, place: int, value: int) -> Callable[[bytes], bytes]:
    """Change one number of an array of the first tree."""

    def changed(whole: bytes) -> bytes:
        head = whole.index(name.encode() + b"[$l#L") + len(name) + 5 + 8
        at = head + 4 * place
        return whole[:at] + value.to_bytes(4, "big", signed=True) + whole[at + 4 :]

    return changed


def _text(name: str, old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Change a number that is written as a text of one digit."""
    head = name.encode() + b"SL" + bytes(7) + b"\x01"
    return lambda whole: whole.replace(head + old, head + new)


BYTES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda whole: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "more": lambda whole: whole + b"x",
    "no ubjson": lambda whole: b"nonsense",
    "depth": lambda whole: b"[" * 100_000,
    "a length without end": lambda whole: whole.replace(b"trees[#L" + bytes(7) + b"\x06", b"trees[#L" + b"\x7f" * 8),
    "a length below": lambda whole: whole.replace(b"trees[#L" + bytes(7) + b"\x06", b"trees[#L" + b"\xff" * 8),
    "a branch to itself": _ints("left_children", 0, 0),
    "a branch to nowhere": _ints("right_children", 0, 99),
    "a branch below": _ints("right_children", 0, -9),
    "another parent": _ints("parents", 1, 2),
    "no root": _ints("parents", 0, 1),
    "a column beyond": _ints("split_indices", 0, 5),
    "fewer nodes": _text("num_nodes", b"7", b"5"),
    "another objective": lambda whole: whole.replace(b"multi:softprob", b"rank:pairwise!"),
    "another booster": lambda whole: whole.replace(b"gbtree", b"gblind"),
    "other columns": _text("num_feature", b"5", b"9"),
    "trees of no class": lambda whole: whole.replace(b"i\x00i\x01i\x02", b"i\x00i\x01i\x09", 1),
    "a thing twice": lambda whole: whole.replace(b"split_type", b"split_indi").replace(b"sum_hessian", b"split_indic"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_xgboost_would_stumble_over(name: str) -> None:
    new = ubj(BYTES[name])
    assert new.tobytes() != fitted("xgboost").booster_.tobytes()
    with pytest.raises(ValueError, match="XGBoost"):
        check_booster(new, 3, 5)


def test_bytes_of_xgboost_are_taken(tmp_path: Path) -> None:
    for n_classes in (3, 2):
        check_booster(fitted("xgboost", n_classes).booster_, n_classes, 5)
    check_booster(fitted("xgboost", 1).booster_, 1, 5)
    pruned = get_model("xgboost").build(n_estimators=20, gamma=1.0, max_depth=6).fit(TABLE.to_numpy(), LABELS)
    check_booster(pruned.booster_, 3, 5)
    for odd, n_classes, n_features in ((fitted("xgboost").booster_, 2, 5), (fitted("xgboost").booster_, 3, 4)):
        with pytest.raises(ValueError, match="XGBoost"):
            check_booster(odd, n_classes, n_features)
    folder = saved(tmp_path / "model", fitted("xgboost"))
    load_any(folder)
    plain = fitted("xgboost").booster_.tobytes()
    wrong = BYTES["a branch to itself"](plain)
    altered(
        folder,
        repacked((folder / ESTIMATOR).read_bytes(), lambda _, data: data.replace(plain, wrong)),
    )
    assert "XGBoost" in refused(folder)


def test_whole_models_of_every_kind_hold_together(tmp_path: Path) -> None:
    for family in SMALL:
        model = fitted(family)
        path = tmp_path / f"{family}.skops"
        save_estimator(model, path)
        again = load_estimator(path)
        check_sound(again)
        assert types_of(again) == types_of(model)
        if family != "svm":  # its pipeline makes probabilities of its scores
            Classes.of(CLASSES).check_fitted(again)
            assert np.array_equal(again.predict_proba(TABLE.to_numpy()), model.predict_proba(TABLE.to_numpy()))


# --- what no list of changes holds -------------------------------------------------------------------------------

_ALTER = """
import random, sys, numpy as np
from pathlib import Path
from ser_experiments.models.zoo._lightgbm_text import check_text
from ser_experiments.models.zoo._xgboost_bytes import check_booster
from tests.attack.test_models import TABLE, fitted, text
kind, seed = sys.argv[1], int(sys.argv[2])
rng, X, passed = random.Random(seed), TABLE.to_numpy(), 0
plain = text().encode() if kind == "lightgbm" else fitted("xgboost").booster_.tobytes()
state = fitted("lightgbm")._Booster.__getstate__() if kind == "lightgbm" else {}
for _ in range(4000):
    new = bytearray(plain)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at, how = rng.randrange(len(new)), rng.random()
        if how < 0.4: new[at] = rng.choice(b"0123456789-. =\\n")
        elif how < 0.6: new[at] = rng.randrange(256)
        elif how < 0.7: del new[at:at + rng.choice([1, 2, 30])]
        elif how < 0.85: new[at:at] = new[rng.randrange(len(new)):][:rng.choice([1, 3, 40])]
        else: new[at:at + 4] = rng.choice([b"\\xff\\xff\\xff\\x7f", b"\\x80\\x00\\x00\\x00", b"9999", b"-999"])
    try:
        if kind == "lightgbm":
            check_text(new.decode())
        else:
            check_booster(np.frombuffer(bytes(new), dtype=np.uint8), 3, 5)
    except (ValueError, OverflowError):
        continue
    passed += 1
    try:
        if kind == "lightgbm":
            from lightgbm import Booster
            one = Booster.__new__(Booster)
            one.__setstate__({**state, "_handle": new.decode()})
            one.predict(X)
        else:
            from xgboost import Booster
            one = Booster({"nthread": 1})
            one.load_model(bytearray(new))
            one.inplace_predict(X)
    except Exception as error:
        if "LightGBM" not in type(error).__name__ and "XGBoost" not in type(error).__name__: raise
print(passed)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_whatever_passes_ends_no_process_and_takes_no_time(kind: str) -> None:
    """Thousands of altered models: those that pass the checks are read and asked, in a process that could die of it."""
    done = subprocess.run(
        [sys.executable, "-c", _ALTER, kind, "1"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.splitlines()[-1]) > 50
