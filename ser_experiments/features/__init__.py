"""Feature sets and their measures, the store, and tables of features.

The names below are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bad": ["BadRecordings"],
        "columns": ["Column", "ColumnRule"],
        "extractor": ["Extractor", "get_extractor", "set_names"],
        "external": ["read_table", "write_table"],
        "measure": ["Measure", "Needs", "Output", "per_clip"],
        "enrolling": ["clips_given", "normalize_by_others"],
        "normalization": [
            "Normalization",
            "SpeakerStatistics",
            "enrolment",
            "is_neutral",
            "normalize_by_speaker",
            "parse_normalization",
            "speaker_statistics",
        ],
        "progress": ["Progress"],
        "single": ["extract"],
        "store.maintenance": ["prune", "status"],
        "table": ["feature_table", "measuring_cost", "survey"],
    },
)
