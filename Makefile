# make test      everything, see STEPS; at the end, what was left out and how to have it
# make lint      gofmt, go vet for three systems, staticcheck
# make race      all tests with the race detector, if there is a C compiler
# make plain     what the race detector slows down or would falsify: the simulator at
#                all its seeds, and what a packet may allocate; and what packets are
#                protected with where our assembly is not used
# make nested    real peers and browsers, and the tests of the bench
# make stdtests  the standard library's tests of net/http, over HTTP/3
# make c         the C library, into bindings/c/dist, and its tests, if there is a C compiler
# make js        the npm packages, into bindings/js/dist: the addon for every platform, by zig
#                from PyPI, and what is over it; Node's headers and packing are npm's.
#                JSFLAGS=linux-x64-gnu for one platform
# make jstests   the suites of the npm package in Node, Bun and Deno, its types, documents, and
#                its tarballs, installed where nothing else is
# make compliance  how many of the specifications' demands tests hold
# make stress    every package's tests STRESS times, with all cores busy
# make fuzz      each fuzz target for FUZZTIME; make fuzz-list names them
# make attack    what hostile peers do, against a server of its own for each attack;
#                Linux only; ATTACKFLAGS=-list lists them
# make soak      everything at once against one server for an hour, which must hold no
#                more in the end; Linux only; SOAKFLAGS='-time 10m' for less
# make interop   the QUIC Interop Runner's cases against other implementations, into
#                docs/interop.md; INTEROPFLAGS='-server quinn -case retry -qlog' for a cell
# make build     the command, as bin/godwit
# make manual    its manual pages and completions for shells, into bin/share
# make docs      the documents as a site, into bin/docs, by zensical from PyPI; a dead link fails
# make bench     the comparison with other implementations; BENCHFLAGS=-quick for
#                what matters most in some minutes
#
# Go is all that has to be installed; tools, modules and another release of Go come from
# the module proxy. Some of the tests against real peers need more: Bun from npm, aioquic
# and libcurl from PyPI, a peer in Rust from crates.io, Chromium and Firefox from Debian.
# What cannot be had is left out and named; where CI is set, nothing may be.

GO          ?= go
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 20s
ZENSICAL    ?= zensical==0.0.73
STRESS      ?= 20
# Seeds of each simulated scenario under the race detector, which is slow; the
# full number runs without it.
RACE_SEEDS  ?= 5
# What measures how much a network carries runs long, and in one goroutine: without it, too.
SIM_ALONE   := ^(TestShares|TestLossyTransfers|TestControllersAreTold|TestMatrixOfBBR)$$

# Modules of their own, so that users never see what they depend on.
NESTED := $(patsubst %/go.mod,%,$(wildcard interop/go.mod interop/webtransport/go.mod bench/go.mod \
	internal/protect/gcm/asm/go.mod))

# Without a C compiler Go leaves the race detector out.
RACE := $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)

STEPS ?= lint race plain c jstests nested stdtests

.PHONY: build manual test lint fmt vet staticcheck race plain c js jstests nested stdtests compliance stress attack soak interop docs bench fuzz fuzz-list clean

build:
	$(GO) build -o bin/ ./cmd/godwit

manual: build
	bin/godwit manual bin/share

# Every step runs, though one before it failed.
test:
	@GODWIT_LEFT_OUT=$$(mktemp); export GODWIT_LEFT_OUT; failed=; \
	for step in $(STEPS); do \
		echo "== make $$step"; start=$$(date +%s); \
		$(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
		echo "== make $$step took $$(($$(date +%s) - start)) s"; \
	done; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; fi; \
	if [ -s $$GODWIT_LEFT_OUT ]; then \
		echo "LEFT OUT, NOT TESTED:"; sort -u $$GODWIT_LEFT_OUT; \
	else \
		echo "nothing was left out"; \
	fi; \
	rm -f $$GODWIT_LEFT_OUT; [ -z "$$failed" ]

lint: fmt vet staticcheck

fmt:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not as gofmt has it:"; echo "$$unformatted"; exit 1; fi

vet:
	GOOS=linux $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	@set -e; for dir in $(NESTED); do echo "vet $$dir"; (cd $$dir && $(GO) vet ./...); done

staticcheck:
	$(STATICCHECK) ./...

race:
ifeq ($(RACE),)
	@echo "WITHOUT the race detector, which needs a C compiler: apt-get install gcc libc6-dev"
	@if [ -n "$$CI" ]; then exit 1; fi
	@if [ -n "$$GODWIT_LEFT_OUT" ]; then echo "all tests: no race detector: apt-get install gcc libc6-dev" >> $$GODWIT_LEFT_OUT; fi
endif
	$(GO) test $(RACE) $$($(GO) list ./... | grep -v -e /internal/test/sim$$ -e /bindings/js$$)
	$(GO) test $(RACE) ./internal/test/sim -sim.seeds $(RACE_SEEDS) -skip '$(SIM_ALONE)'

# The packages whose tests ask whether the race detector watches.
plain:
	$(GO) test -count=1 ./internal/test/sim ./internal/engine ./internal/h3 ./quic
	$(GO) test -count=1 -run '^TestSimulation$$' ./webtransport
	$(GO) test -count=1 -run '^TestChangedWhileRead$$$$' ./bindings/port # a race by intent
	GODEBUG=cpu.avx2=off $(GO) test -count=1 ./internal/protect ./internal/engine
	$(GO) test -count=1 -tags purego -skip '^TestPacketsDoNotAllocate$$' ./internal/protect/... # ChaCha20 does then

c:
ifeq ($(RACE),)
	@echo "WITHOUT the C library, which needs a C compiler: apt-get install gcc libc6-dev"
	@if [ -n "$$CI" ]; then exit 1; fi
	@if [ -n "$$GODWIT_LEFT_OUT" ]; then echo "the C library: no C compiler: apt-get install gcc libc6-dev" >> $$GODWIT_LEFT_OUT; fi
else
	$(MAKE) -C bindings/c test GO="$(GO)"
endif

js:
	$(GO) run ./bindings/js/cmd/pack $(JSFLAGS)

jstests:
	$(GO) test -timeout 30m ./bindings/js

nested:
	@failed=; for dir in $(NESTED); do echo "test $$dir"; \
		(cd $$dir && $(GO) test -timeout 30m $$($(GO) list ./... | grep -v /interop/stdtests$$)) || failed=1; \
	done; [ -z "$$failed" ]

docs:
	test -x bin/docs-tools/bin/zensical || { python3 -m venv bin/docs-tools && bin/docs-tools/bin/pip install -q $(ZENSICAL); }
	bin/docs-tools/bin/zensical build --strict -f mkdocs.yml

compliance:
	$(GO) test -count=1 -v ./internal/test/compliance

stdtests:
	cd interop && $(GO) test -count=1 -timeout 30m ./stdtests

stress:
	$(GO) run ./internal/test/stress -count $(STRESS) $(STRESSFLAGS)

attack:
	$(GO) run ./internal/attack/cmd/attack -md out/attack.md -json out/attack.json $(ATTACKFLAGS)

soak:
	$(GO) run ./internal/attack/cmd/soak $(SOAKFLAGS)

interop:
	cd interop && $(GO) run ./runner $(or $(INTEROPFLAGS),-doc ../docs/interop.md)

bench:
	cd bench && $(GO) run . $(BENCHFLAGS)

# Each line of the list is a package's folder and the name of a target.
fuzz-list:
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func | |' | sort

fuzz:
	@$(MAKE) --no-print-directory fuzz-list | while read -r dir target; do \
		echo "fuzz $$dir $$target"; \
		(cd $$dir && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) . < /dev/null) || exit 1; \
	done

clean:
	rm -rf bin
