package handshake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"testing"
	"testing/synctest"

	"github.com/godwit-quic/godwit/internal/test/leak"
)

// As many steps compute as there are slots, whatever others wait for; a bounded
// number is under way; all are done in the end, and no goroutine stays.
func TestPool(t *testing.T) {
	leak.Check(t)
	synctest.Test(t, func(t *testing.T) {
		p := &pool{slots: 2}
		const steps = maxPoolSteps + 500
		var computing, waiting, done, mostComputing, mostWaiting int
		lock := make(chan struct{}, 1)
		note := func(n *int, by int, most *int) {
			lock <- struct{}{}
			*n += by
			*most = max(*most, *n)
			<-lock
		}
		ignored := 0
		callback, end := make(chan struct{}), make(chan struct{})
		for range steps {
			p.run(func() {
				note(&computing, 1, &mostComputing)
				note(&computing, -1, &mostComputing)
				p.leave()
				note(&waiting, 1, &mostWaiting)
				<-callback
				note(&waiting, -1, &mostWaiting)
				p.enter()
				note(&computing, 1, &mostComputing)
				<-end
				note(&computing, -1, &mostComputing)
				note(&done, 1, &ignored)
			})
		}
		synctest.Wait()
		if waiting != maxPoolSteps {
			t.Errorf("%d steps wait in callbacks, want %d", waiting, maxPoolSteps)
		}
		close(callback)
		synctest.Wait()
		if computing != 2 {
			t.Errorf("%d steps compute, want 2", computing)
		}
		close(end)
		synctest.Wait()
		if done != steps || mostComputing > 2 || mostWaiting > maxPoolSteps {
			t.Errorf("%d of %d steps are done; at most %d computed, %d waited", done, steps, mostComputing, mostWaiting)
		}
		if p.active != 0 || p.started != 0 || len(p.queue) != 0 || len(p.returned) != 0 {
			t.Errorf("left: %d slots, %d steps, %d in the queue, %d waiting for a slot", p.active, p.started, len(p.queue), len(p.returned))
		}
	})
}

// Only handshakes without callbacks and with usual keys are taken on the loop.
func TestMayBlock(t *testing.T) {
	server, client := testConfigs(t)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	trusting := client.Clone()
	trusting.InsecureSkipVerify = true
	withKey := func(key any) *tls.Config {
		c := server.Clone()
		c.Certificates = []tls.Certificate{{Certificate: c.Certificates[0].Certificate, PrivateKey: key}}
		return c
	}
	for _, tt := range []struct {
		name   string
		config *tls.Config
		server bool
		want   bool
	}{
		{"a server", server, true, false},
		{"a client that verifies", client, false, true},
		{"a client that does not", trusting, false, false},
		{"RSA", withKey(big), true, true},
		{"P-384", withKey(p384), true, true},
		{"somebody's key", withKey(outsideSigner{p384, nil}), true, true},
		{"client certificates", &tls.Config{ClientAuth: tls.RequestClientCert}, true, true},
	} {
		if got := mayBlock(tt.config, tt.server); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
