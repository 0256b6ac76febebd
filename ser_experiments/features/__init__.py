"""Feature sets, the table store and tables of features.

The names below are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "extractor": ["Column", "Extractor", "get_extractor", "set_names"],
        "maintenance": ["prune", "status"],
        "normalization": [
            "Normalization",
            "SpeakerStatistics",
            "enrolment",
            "normalize_by_speaker",
            "parse_normalization",
            "speaker_statistics",
        ],
        "progress": ["Progress", "ProgressBar"],
        "readymade": ["read_table", "write_table"],
        "table": ["BadRecordings", "extract", "feature_table", "survey"],
    },
)
