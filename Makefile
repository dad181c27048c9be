.PHONY: demo test check docs bench clean

demo: .venv/installed
	.venv/bin/regard demo

test: .venv/installed
	scripts/check
	scripts/test
	scripts/docs

check: .venv/installed
	scripts/check

docs: .venv/installed
	scripts/docs

bench: .venv/installed
	scripts/bench

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/installed: pyproject.toml constraints.txt scripts/install
	scripts/install
	touch $@
