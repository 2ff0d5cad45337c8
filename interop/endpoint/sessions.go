package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/webtransport"
)

// session is a session as the contract has them.
type session struct{ *webtransport.Session }

func (s session) OpenStream(ctx context.Context) (contract.Stream, error) {
	return s.Session.OpenStream(ctx)
}
func (s session) AcceptStream(ctx context.Context) (contract.Stream, error) {
	return s.Session.AcceptStream(ctx)
}
func (s session) OpenUniStream(ctx context.Context) (io.WriteCloser, error) {
	return s.Session.OpenUniStream(ctx)
}
func (s session) AcceptUniStream(ctx context.Context) (io.Reader, error) {
	return s.Session.AcceptUniStream(ctx)
}
func (s session) SendDatagram(b []byte) error { return s.Session.SendDatagram(b) }

// byFolder sorts paths by their first element, which is that of a session.
func byFolder(paths []string) map[string][]string {
	folders := make(map[string][]string)
	for _, p := range paths {
		folder, name, isFile := strings.Cut(strings.Trim(p, "/"), "/")
		names := folders[folder]
		if isFile {
			names = append(names, name)
		}
		folders[folder] = names
	}
	return folders
}

// serveSessions serves WebTransport. A server ends by itself only with ctx.
func serveSessions(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	way, wants := contract.TransferOf(e.TestCase, "send")
	if !wants && e.TestCase != "handshake" && e.TestCase != "transfer" {
		return contract.ErrUnsupported
	}
	wanted := byFolder(e.Wanted)
	srv := &http3.Server{QUICConfig: conf}
	webtransport.Enable(srv, nil)
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := upgrade(e, w, r)
		if err != nil {
			complain(err)
			return
		}
		folder := strings.Trim(r.URL.Path, "/")
		switch {
		case wants:
			complain(e.Take(s.Context(), s, way, folder, wanted[folder]))
			complain(s.CloseWithError(0, ""))
		case e.TestCase == "handshake":
			complain(e.SaveProtocol(s.Protocol()))
			<-s.Context().Done()
		default:
			e.Give(s.Context(), s, folder)
		}
	})
	return serveHandler(ctx, e, srv)
}

// upgrade accepts a session. The contract has the client's first subprotocol chosen that
// the server has; otherwise the server's order would count.
func upgrade(e *contract.Environment, w http.ResponseWriter, r *http.Request) (session, error) {
	offered := strings.Join(r.Header.Values("WT-Available-Protocols"), ",")
	protocols := slices.Clone(e.Protocols)
	place := func(name string) int { return strings.Index(offered, `"`+name+`"`) }
	slices.SortStableFunc(protocols, func(a, b string) int { return place(a) - place(b) })
	s, err := (&webtransport.UpgradeConfig{Protocols: protocols}).Upgrade(w, r)
	return session{s}, err
}

func complain(err error) {
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
	}
}

// fetchSessions is a client of WebTransport, which has all its sessions on one
// connection.
func fetchSessions(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	way, wants := contract.TransferOf(e.TestCase, "receive")
	if !wants && e.TestCase != "handshake" && e.TestCase != "transfer" {
		return contract.ErrUnsupported
	}
	tlsConf, err := e.ClientTLS()
	if err != nil {
		return err
	}
	d := &webtransport.Dialer{TLSClientConfig: tlsConf, QUICConfig: conf, Protocols: e.Protocols, ShareConnections: true}
	defer d.Close()
	var paths []string
	for _, u := range e.Requests {
		paths = append(paths, u.Path)
	}
	g, ctx := errgroup.WithContext(ctx)
	for folder, names := range byFolder(paths) {
		dialled, _, err := d.Dial(ctx, "https://"+e.Requests[0].Host+"/"+folder, nil)
		if err != nil {
			return err
		}
		s := session{dialled}
		g.Go(func() error {
			defer s.CloseWithError(0, "")
			switch {
			case wants:
				return e.Take(ctx, s, way, folder, names)
			case e.TestCase == "handshake":
				return e.SaveProtocol(s.Protocol())
			}
			e.Give(ctx, s, folder)
			return nil
		})
	}
	return g.Wait()
}
