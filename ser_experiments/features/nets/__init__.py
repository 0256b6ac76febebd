"""Encoders: networks whose hidden states are features. The only place below the models that may import torch.

A set that needs one imports it from here inside of the opener of its measure, so that listing sets and reading tables
stays free of torch.
"""
