"""Quantum ESPRESSO for tests: the real programs, and stand-ins that end in a chosen way."""

import os
import shutil

import pytest


def need(*programs):
    """Skip a test without the programs; where CI promises them, fail instead."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing[0]} is not installed")
    if missing:
        pytest.skip(f"{missing[0]} of Quantum ESPRESSO is not installed")


def stand_in(folder, program, script):
    """Write a shell script under a program's name; returns the folder for `Programs`."""
    folder.mkdir(exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(folder)
