"""What every test stands on: one seed, one thread, and the folder of real corpora."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

ROOT = Path(__file__).parents[1]

torch.set_num_threads(1)
settings.register_profile("regard", derandomize=True, deadline=None)
settings.load_profile("regard")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Every test, and the fixtures that it makes, begin at the same random state, alone or in company."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (libraries that draw from the global state are to be repeatable too)
    torch.manual_seed(1)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora, which is no part of the repository."""
    folder = Path(os.environ.get("REGARD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no corpora in {folder}; set REGARD_DATA to a folder that holds them")
    return folder
