# make demo    the whole platform on 127.0.0.1:8000 (PORT=8001 make demo for another port); Ctrl-C stops it
# make test    every gate and every test        make check   the same without slow and browser tests
# make lint    the gates that need no tests     make proof   the slow tests, and those of minutes (fuzzing, ten million rows)
# make setup   only packages and front-end files, for a server
# make format  write the code as the format gate wants it
# PYTEST="-k name" make check   passes words on to pytest
.PHONY: demo test check lint proof setup format
.SILENT:

define in_python
python="$$(sh tools/find_python.sh)" && exec "$$python" -m
endef

demo:
	$(in_python) tools.demo

test check proof:
	$(in_python) tools.check $@ $(PYTEST)

lint:
	$(in_python) tools.check lint

setup:
	$(in_python) tools.preparation

format:
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .
