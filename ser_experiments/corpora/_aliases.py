"""Words of other corpora for the codes that label schemes are written in."""

from __future__ import annotations

#: Word to code. After IEMOCAP's codes stand some that no scheme names: they tell which words mean one thing.
ALIASES: dict[str, str] = {
    word: code
    for code, words in {
        "ang": ("ang", "angry", "anger", "hot anger", "wut", "ärger"),
        "hap": ("hap", "happy", "happiness", "joy", "joyful", "freude"),
        "exc": ("exc", "excited", "excitement"),
        "neu": ("neu", "neutral", "neutrality"),
        "sad": ("sad", "sadness", "trauer"),
        "fru": ("fru", "frustrated", "frustration"),
        "sur": ("sur", "surprise", "surprised", "pleasant surprise"),
        "fea": ("fea", "fear", "fearful", "afraid", "angst"),
        "dis": ("dis", "disgust", "disgusted", "ekel"),
        "oth": ("oth", "other"),
        "xxx": ("xxx",),
        "cal": ("cal", "calm", "calmness"),
        "bor": ("bor", "bored", "boredom", "langeweile"),
        "con": ("contempt", "contemptuous"),
        "anx": ("anxious", "anxiety"),
    }.items()
    for word in words
}
