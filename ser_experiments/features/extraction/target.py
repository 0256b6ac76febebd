"""What is measured, and where its rows are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ser_experiments.features.extractor import Extractor
from ser_experiments.features.store.codecs import Codec, codec_of
from ser_experiments.features.store.files import table_folder
from ser_experiments.features.store.parts import PartitionedTable


@dataclass(frozen=True)
class Target:
    """One output of a measure and where it is kept.

    Parameters
    ----------
    extractor : Extractor
        Without the names of its columns, which a worker does not need.
    digest : str
        Of the identity where the work was planned; a worker with other libraries must not write there.
    cache : str
        The cache folder.
    asked : bool
        Whether a table waits for it; else it is kept because its measure runs anyway, and where it cannot be had
        nobody is told.
    """

    extractor: Extractor
    digest: str
    cache: str
    asked: bool = True

    @classmethod
    def of(cls, extractor: Extractor, cache: Path, *, asked: bool = True) -> Target:
        """Return the target of an extractor in a cache folder."""
        light = replace(extractor, measure=extractor.measure.without_names())
        return cls(light, extractor.digest, str(cache), asked)

    @property
    def codec(self) -> Codec:
        """Return how the output is kept."""
        return codec_of(self.extractor.output)

    @property
    def table(self) -> PartitionedTable:
        """Return the table of the output."""
        return self.codec.table(table_folder(Path(self.cache), self.extractor.name, self.digest))

    @property
    def measured_by(self) -> tuple[str, str]:
        """Return what is equal for the outputs of one measure."""
        return self.extractor.measured_by
