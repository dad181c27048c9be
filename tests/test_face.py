"""The public face: what `import regard` offers, and what it does not cost."""

import subprocess
import sys

import pytest

import regard


@pytest.mark.parametrize("name", regard.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert name == "__version__" or getattr(regard, name).__doc__


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'transformers'"):
        regard.transformers  # noqa: B018


def test_the_face_is_shown_without_pytorch_and_without_numpy():
    code = "import regard, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
