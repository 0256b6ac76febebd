"""The store of features: a table an output and identity, in immutable parts, and the survey of recordings."""
