"""One file each of a corpus, a feature set, a family of models and a score."""
