package quic

import (
	"bytes"
	"errors"
	"log"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/memnet"
)

// TestTransportLogs: a transport tells its Logger, or slog.Default() if it has none, that its
// socket has failed, and Close waits for that.
func TestTransportLogs(t *testing.T) {
	for _, own := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var written bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&written, nil))
			conf := new(TransportConfig)
			if own {
				conf.Logger = logger
			} else {
				defer func(l *slog.Logger, flags int) {
					w := log.Writer()
					slog.SetDefault(l)
					log.SetOutput(w) // which SetDefault has changed, and does not change back
					log.SetFlags(flags)
				}(slog.Default(), log.Flags())
				w := log.Writer()
				slog.SetDefault(logger)
				log.SetOutput(w)
			}
			s := memnet.New(0).Listen(memClient)
			tr := newTransport([]loop.Socket{s}, conf)
			s.FailReceives(errors.New("broken"))
			synctest.Wait()
			tr.Close()
			if text := written.String(); !strings.Contains(text, "the socket failed") || !strings.Contains(text, "broken") {
				t.Errorf("a logger of its own: %v; logged %q", own, text)
			}
		})
	}
}
