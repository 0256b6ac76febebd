"""Signal processing that the sets share: frames, spectra, pitch, voice."""

import numpy as np


def _keep_memory() -> None:
    """Let the C library keep freed memory instead of handing it back to the system after every recording.

    The spectra of a recording take a few megabytes; fetching fresh pages for them costs more than the transform. On
    Linux, freeing one large block raises the limits up to which freed memory is kept (glibc's mallopt(3): the
    thresholds are dynamic). The block is never touched, so it never takes real memory. Elsewhere nothing happens.
    """
    block = np.empty(31 << 20, dtype=np.uint8)
    del block


_keep_memory()
