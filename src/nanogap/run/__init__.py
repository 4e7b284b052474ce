"""A run directory from start to finish: order, checkpoints, resume, workers."""
