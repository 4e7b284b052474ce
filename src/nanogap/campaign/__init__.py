"""An ensemble of runs: plan, executors, a store of results by content, one dataset out."""
