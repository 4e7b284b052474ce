"""Long runs that judge the physics; each writes a small data file that a test checks."""
