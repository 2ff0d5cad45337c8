package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
)

// tokenSeeds is how many networks TestTokens tries of each kind.
const tokenSeeds = 15

// A client that comes again proves its address with its first packet, whatever the network
// does to either connection: there is no Retry packet, and who asks for proofs is content. A
// token that has expired costs a Retry packet, and nothing else.
func TestTokens(t *testing.T) {
	networks := map[string]func() []Node{
		"clean":     func() []Node { return nil },
		"loss20":    func() []Node { return []Node{&Drop{Rate: 0.2}} },
		"reorder":   func() []Node { return []Node{&Reorder{Rate: 0.3, Hold: 30 * time.Millisecond}} },
		"duplicate": func() []Node { return []Node{&Duplicate{Rate: 0.3}} },
		"corrupt":   func() []Node { return []Node{&Corrupt{Rate: 0.05}} },
	}
	for name, nodes := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(tokenSeeds) {
				if err := comesAgain(*seedFlag+seed, nodes); err != nil {
					t.Errorf("seed %d: %v", *seedFlag+seed, err)
				}
			}
		})
	}
}

func comesAgain(seed uint64, nodes func() []Node) error {
	run := func(r Run) (*Run, engine.EndpointStats, error) {
		r.Seed, r.Nodes, r.Work = seed, append([]Node{&Delay{RTT: 20 * time.Millisecond}}, nodes()...), work
		err := r.Do()
		return &r, r.ServerEndpoint().Stats(), err
	}
	first, _, err := run(Run{})
	if err != nil || len(first.Tokens) == 0 {
		return fmt.Errorf("the first connection brings %d tokens, %v", len(first.Tokens), err)
	}
	token := first.Tokens[len(first.Tokens)-1]
	second, stats, err := run(Run{Token: token, Later: time.Hour, RequireRetry: true})
	if err != nil || stats.RetriesSent != 0 || stats.TokensAccepted == 0 {
		return fmt.Errorf("the second: %v, %+v", err, stats)
	}
	if len(second.Tokens) == 0 {
		return fmt.Errorf("the second connection brings no tokens")
	}
	_, stats, err = run(Run{Token: token, Later: 100 * time.Hour, RequireRetry: true})
	if err != nil || stats.RetriesSent == 0 || stats.TokensAccepted != 0 || stats.InvalidToken == 0 {
		return fmt.Errorf("much later: %v, %+v", err, stats)
	}
	return nil
}
