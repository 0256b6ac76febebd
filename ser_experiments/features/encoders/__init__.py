"""Pretrained speech encoders: checkpoints on disk, the families of networks they are, and one pass over recordings.

A folder in the Hugging Face layout holds a :class:`~ser_experiments.features.encoders.checkpoint.Checkpoint`; each file
of :mod:`~ser_experiments.features.encoders.families` says how one family of networks is built and fed. Layers are
counted as transformers counts hidden states: 0 is what the first block takes, k what block k gives, before any norm
that follows the blocks.
"""
