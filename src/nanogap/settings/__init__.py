"""The input file as pydantic models, and presets as TOML files."""
