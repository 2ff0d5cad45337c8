package interop

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// bunVersion is the release tested: the first with HTTP/3 and node:quic that
// work.
const bunVersion = "1.4.5"

var bunKit = peertest.NPM("bun", bunVersion)

// bun is the path of Bun.
type bun string

// needBun returns Bun, installing it on first use; so it comes before anything with a time limit.
func needBun(t *testing.T) bun {
	t.Helper()
	peertest.Program(t, "apt-get install npm", "npm")
	return bun(filepath.Join(bunKit.Dir(t), "node_modules", ".bin", "bun"))
}

// run starts a script, and returns what it printed first.
func (b bun) run(t *testing.T, ctx context.Context, script string, args ...string) string {
	t.Helper()
	return runScript(t, ctx, string(b), append([]string{filepath.Join("bun", script)}, args...)...)
}

// TestBunNodeQUICServer has our client talk to Bun's node:quic server.
func TestBunNodeQUICServer(t *testing.T) {
	bun := needBun(t)
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, echoALPN)
	cert, key := peertest.PEM(t, serverTLS)
	port := bun.run(t, ctx, "echo_server.mjs", cert, key)
	conn, err := quic.Dial(ctx, net.JoinHostPort("127.0.0.1", port), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	for _, n := range sizes {
		s, err := conn.OpenStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		peertest.EchoThrough(t, s, peertest.Content(n))
	}
	var wg sync.WaitGroup
	for i := range 50 {
		s, err := conn.OpenStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { peertest.EchoThrough(t, s, peertest.Content(1000+i)) })
	}
	wg.Wait()
}

// TestBunNodeQUICClient has Bun's node:quic client talk to our server.
func TestBunNodeQUICClient(t *testing.T) {
	bun := needBun(t)
	ctx := timeout(t)
	serverTLS, _ := peertest.TLS(t, echoALPN)
	cert, _ := peertest.PEM(t, serverTLS)
	ln, err := quic.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					s, err := conn.AcceptStream(ctx)
					if err != nil {
						return
					}
					go echo(s)
				}
			}()
		}
	}()
	line := bun.run(t, ctx, "echo_client.mjs", ln.Addr().String(), cert, "1", "1200", "65536", "8388608")
	var got struct {
		One  []bool
		Many bool
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if len(got.One) != 4 || !got.Many {
		t.Fatalf("Bun says %s", line)
	}
	for i, ok := range got.One {
		if !ok {
			t.Errorf("echo %d differs", i)
		}
	}
}
