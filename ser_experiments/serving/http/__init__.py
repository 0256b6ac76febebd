"""A model over HTTP: a light process that speaks with clients, and others that decode, measure and answer.

Whatever is sent, it costs what :mod:`ser_experiments.serving.bounds` allows. Recordings are decoded by libraries in C,
which no thread can stop: a process can be ended when its time is up, and is replaced.
"""
