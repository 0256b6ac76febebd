"""Emozionalmente, with somebody in the list of users who only judged, and a clip at another rate."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clip

_WORDS = ("anger", "disgust", "fear", "joy", "neutrality", "sadness", "surprise")


def build(folder: Path) -> Path:
    samples, judged = (
        ["timestamp,file_name,emotion_expressed,sentence,actor"],
        ["file_name,evaluator,emotion_recognized"],
    )
    number = 1613655062436
    for actor in ("a1f0", "b2e7", "c3d9"):
        for text in ("Domani, vado a lezione", "Come stai?"):
            for word in _WORDS:
                number += 1
                clip(folder / "audio" / f"{number}.wav", rate=44_100 if number % 9 == 0 else 16_000)
                samples.append(f'x,{number}.wav,{word},"{text}",{actor}')
                heard = ["joy"] * 3 + ["fear"] * 2 if actor == "c3d9" and word == "anger" else [word] * 5
                judged += [f"{number}.wav,d{i},{one}" for i, one in enumerate(heard)]
    (folder / "metadata").mkdir()
    (folder / "metadata" / "samples.csv").write_text("\n".join(samples) + "\n")
    (folder / "metadata" / "evaluations.csv").write_text("\n".join(judged) + "\n")
    (folder / "metadata" / "users.csv").write_text(
        "username,age,gender,mother_tongue\na1f0,31,female,italian\nb2e7,44,male,italian\nc3d9,20,other,italian\n"
        "d0,25,male,italian\n"
    )
    return folder


ROWS = {
    "1613655062437": {"speaker": "a1f0", "gender": "f", "age": "31", "emotion": "anger", "votes": "anger=5"},
    "1613655062440": {"emotion": "joy", "code": "hap"},
    "1613655062441": {"emotion": "neutrality", "code": "neu"},
    "1613655062465": {
        "speaker": "c3d9",
        "gender": "other",
        "emotion": "anger",
        "perceived_voice": "joy",
        "agreement": 0.6,
    },
}
