"""Signal processing that the sets share: frames, spectra, pitch, voice."""
