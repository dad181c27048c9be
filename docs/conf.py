"""How Sphinx makes these pages; `scripts/docs` calls it.

What says what the code can do is taken from the code: see `generated.py` and `docstrings.py` beside this file.
"""

import os
import sys
from pathlib import Path

import regard

sys.path.insert(0, str(Path(__file__).parent))

kernel = Path(__file__).parents[1] / "build" / "ipython" / "profile_default"  # of the notebook, and nobody's own
kernel.mkdir(parents=True, exist_ok=True)
(kernel / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(kernel.parent)

project = "regard"
author = "regard contributors"
project_copyright = "regard contributors, MIT licence"
version = release = regard.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "generated", "docstrings"]
exclude_patterns = ["experiments/results"]  # they are put into the page `experiment`
nitpick_ignore_regex = [
    ("py:.*", r"(?!regard\b).*"),  # names of other people's libraries lead nowhere: no network
    ("py:.*", r".*\.(S|T|Same)"),  # type variables
    ("py:.*", r"regard\.(cli|demo|serving|weights|device|disk|plots)\..*"),  # rooms without a page
]

myst_enable_extensions = ["colon_fence", "dollarmath", "substitution"]
myst_substitutions = {  # `{{ growth }}` is the table of benchmarks/growth without its title; see the page `speed`
    file.parent.name if file.stem == "results" else file.stem: f"```{{include}} ../benchmarks/{file.parent.name}/"
    f"{file.name}\n:start-line: 2\n:heading-offset: 1\n:relative-images:\n```"
    for file in (Path(__file__).parents[1] / "benchmarks").glob("*/*.md")
}
myst_heading_anchors = 3
smartquotes_action = "qe"  # quotes and dots, and no dashes: two hyphens begin an option
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell: minutes more than a quiet machine takes
nb_merge_streams = True

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "regard"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_theme_options = {  # the colours of the page that `regard look` opens
    "light_css_variables": {
        "color-background-primary": "#fbfbf8",
        "color-background-secondary": "#f2f3ee",
        "color-foreground-primary": "#1b222c",
        "color-brand-primary": "#00685c",
        "color-brand-content": "#00685c",
    },
    "dark_css_variables": {
        "color-background-primary": "#101418",
        "color-background-secondary": "#171c21",
        "color-foreground-primary": "#eceee9",
        "color-brand-primary": "#69d0bc",
        "color-brand-content": "#69d0bc",
    },
}
