# make build   the command, as bin/godwit
# make test    everything: lint, all tests with the race detector, the simulator
#              at all its seeds, and real peers
# make lint    gofmt, go vet for three systems, staticcheck
# make fuzz    each fuzz target for FUZZTIME
# make attack  what hostile peers do, against a server of its own for each attack;
#              Linux only; ATTACKFLAGS=-list lists them
# make bench   the comparison with other implementations; BENCHFLAGS=-quick for
#              what matters most in some minutes
#
# Go is all that has to be installed; tools and modules come from the module
# proxy; Bun, aioquic and libcurl, for some of the tests against real peers, from
# npm and PyPI, and a peer in Rust from crates.io, if npm, Python and cargo are there.

GO          ?= go
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 20s
# Seeds of each simulated scenario under the race detector, which is slow; the
# full number runs without it.
RACE_SEEDS  ?= 5

# Modules of their own, so that users never see what they depend on.
NESTED := $(patsubst %/go.mod,%,$(wildcard interop/go.mod interop/webtransport/go.mod bench/go.mod))

.PHONY: build test lint fmt vet staticcheck race sim nested attack bench fuzz clean

build:
	$(GO) build -o bin/ ./cmd/godwit

test: lint race sim nested

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
	$(GO) test -race $$($(GO) list ./... | grep -v /internal/sim$$)
	$(GO) test -race ./internal/sim -sim.seeds $(RACE_SEEDS)

sim:
	$(GO) test -count=1 ./internal/sim
	$(GO) test -count=1 -run '^TestSimulation$$' ./webtransport

nested:
	@set -e; for dir in $(NESTED); do echo "test $$dir"; (cd $$dir && $(GO) test ./...); done

attack:
	$(GO) run ./internal/attack/cmd/attack -md out/attack.md -json out/attack.json $(ATTACKFLAGS)

bench:
	cd bench && $(GO) run . $(BENCHFLAGS)

fuzz:
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(cd $$dir && $(GO) test -list '^Fuzz' . | grep '^Fuzz'); do \
			echo "fuzz $$dir $$target"; \
			(cd $$dir && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) .); \
		done; \
	done

clean:
	rm -rf bin
