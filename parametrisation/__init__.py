"""Programs that made the packaged numbers: reference bands, transmissions, calibration."""
