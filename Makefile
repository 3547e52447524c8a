# Trellis: `make help` says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
SWIFT ?= swift
# In another environment the build tool makes again what is made: it is shown none of this one's variables.
BUILD := env $(foreach name,MAKEFLAGS MAKELEVEL MFLAGS MAKE_TERMOUT MAKE_TERMERR ROUNDS MAILS KILLS LEADS EVENTS KEEP SHORT SECONDS,-u $(name)) $(SWIFT) build
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PACKAGES := libsqlite3-dev sqlite3
DEBUG := .build/debug/trellis
RELEASE := .build/release/trellis
TRELLIS := $(CURDIR)/$(DEBUG)
LEADS ?= 1000000
EVENTS ?= $(shell expr $(LEADS) \* 20)
SECONDS ?= 600

.PHONY: help deps build release run test lint format bench bench-quick crash clean attacks api schema clients browser form-lab slowloris bench-forms bench-mail bench-views bench-simulate mail-lab fuzz handoff-lab fit-check figures-check statistics

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

deps: # What the build needs beyond the Swift toolchain; installed where it is missing
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.2 or later is not on the PATH: see https://www.swift.org/install/linux/"; exit 1; }
	@missing=""; for package in $(PACKAGES); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then echo "Installing$$missing"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing; fi

build: deps ## Build the program for development
	@$(BUILD) --product trellis

release: deps ## Build the program as it is shipped: .build/release/trellis, one file to copy
	@$(BUILD) -c release --static-swift-stdlib --product trellis

run: build ## Set up a sample CRM in sample/, run it until idle, and show what came of it
	@rm -rf sample && $(TRELLIS) init sample >/dev/null && cd sample && \
	$(TRELLIS) import leads.csv && $(TRELLIS) import activities.csv --into activities && \
	$(TRELLIS) import spend.csv --into spend && $(TRELLIS) import deals.csv --into opportunities && \
	$(TRELLIS) capture --email nora@gruene-halle.example --magnet planting-calendar first_name=Nora "company=Grüne Halle" interest=staffing consent_newsletter=yes && \
	$(TRELLIS) work --until-idle && $(TRELLIS) report && \
	echo && echo "Your sample CRM is in sample/. Try next:" && \
	echo "  cd sample && $(TRELLIS) sql hot-leads --country DE" && \
	echo "  cd sample && $(TRELLIS) report monthly --so-far" && \
	echo "  cd sample && $(TRELLIS) trace nora@gruene-halle.example" && \
	echo "  cd sample && $(TRELLIS) audiences export warm-not-yet-talking --platform google --anyway"

test: deps ## Run every test
	@$(BUILD) --build-tests --quiet && $(SWIFT) test --skip-build --parallel
	@SHORT=1 $(MAKE) --no-print-directory attacks api schema clients browser
	@ROUNDS=3 $(MAKE) --no-print-directory form-lab
	@MAILS=400 KILLS=4 $(MAKE) --no-print-directory mail-lab
	@LEADS=400 KILLS=3 $(MAKE) --no-print-directory handoff-lab

attacks: build ## Attack the server as strangers do, 10,000 times over, and check that it refuses (SHORT=1 for fewer)
	@Tests/Attacks/run.sh $(TRELLIS)

api: build ## Hold the API against its description (skipped where schemathesis cannot be installed)
	@Tests/API/run.sh $(TRELLIS)

schema: build ## Hold every config here against the JSON Schema (skipped where its validator cannot be installed)
	@Tests/Schema/run.sh $(TRELLIS)

clients: build ## Run other SQLite clients on a file at work, also beside forms (skipped where pandas and DuckDB cannot be installed)
	@Tests/Clients/run.sh $(TRELLIS)

fit-check: build ## Hold learnt rules against scikit-learn (CSV=… OUTCOME=… SITE=…; skipped where it cannot be installed)
	@Tests/Fit/run.sh $(TRELLIS)

figures-check: build ## Hold figures of sales against pandas (DEALS=folder; skipped where it cannot be installed)
	@Tests/Figures/run.sh $(TRELLIS)

statistics: deps ## Play thousands of tests of mails whose rates are known: false winners, and leads until a true one (minutes)
	@$(BUILD) --build-tests --quiet && LONG=1 $(SWIFT) test --skip-build --filter DripSequencerTests.DecisionTests

browser: build ## Visitors, reports and mails in a real browser (skipped where there is none)
	@Tests/Browser/run.sh $(TRELLIS)

form-lab: build ## Kill the server in 50 rushes of forms, and check that no answered form is lost
	@python3 -B Tests/FormLab/form_lab.py $(TRELLIS) $${ROUNDS:-50}

mail-lab: build ## Kill the program 50 times while it mails 10,000 leads, and check that nobody is mailed twice
	@MAILS=$${MAILS:-10000} KILLS=$${KILLS:-50} Tests/MailLab/run.sh $(TRELLIS)

fuzz: deps ## Fuzz what reads and writes mail, ten minutes each (SECONDS=60 for a shorter one)
	@SECONDS_MAX=$(SECONDS) Tests/Fuzz/run.sh $(TARGETS)

handoff-lab: build ## Kill the program 25 times while 10,000 leads are handed off, and check that none is lost or held twice
	@python3 -B Tests/HandoffLab/handoff_lab.py $(TRELLIS) $${LEADS:-10000} $${KILLS:-25}

slowloris: build ## Hold 1,000 slow connections open, and time a normal visitor beside them (skipped where slowhttptest cannot be installed)
	@Tests/FormLab/slowloris.sh $(TRELLIS)

lint: ## Check the layout of the code
	@$(SWIFT) format lint --strict --recursive --parallel Sources Plugins Tests Benchmarks Package.swift

format: ## Lay the code out
	@$(SWIFT) format --in-place --recursive --parallel Sources Plugins Tests Benchmarks Package.swift

bench: release ## Measure each job beside its limit (LEADS=1000000)
	@$(BUILD) -c release --static-swift-stdlib --product trellis-bench && .build/release/trellis-bench --leads $(LEADS)

bench-forms: release ## Measure forms beside a bare server in C, and while an import is pumped
	@BACKLOG=1000000 Benchmarks/Forms/run.sh $(CURDIR)/$(RELEASE)

bench-mail: release ## Measure mails beside Postfix's own load generator, to a sink on this machine
	@Benchmarks/Mail/run.sh $(CURDIR)/$(RELEASE)

bench-views: release ## Time each KPI and ladder on a file with 20 million events (LEADS=100000 for a smaller one, EVENTS=…; KEEP=1 keeps it)
	@Benchmarks/Views/run.sh $(CURDIR)/$(RELEASE) $(LEADS) $(EVENTS)

bench-simulate: release ## Time a simulated month of 100,000 leads beside a minute (LEADS=2000 for a shorter one)
	@Benchmarks/Simulate/run.sh $(CURDIR)/$(RELEASE) $(if $(filter environment% command%,$(origin LEADS)),$(LEADS),100000)

bench-quick: ## The same with 100,000 leads
	@$(MAKE) bench LEADS=100000

crash: build ## Kill the program 200 times at random moments, and check that nothing is lost or done twice
	@ROUNDS=$${ROUNDS:-200} Tests/CrashLab/crash-lab.sh $(TRELLIS)

clean: ## Remove what was built
	@rm -rf .build sample
