package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// closingTransport sends requests until it is closed.
type closingTransport interface {
	http.RoundTripper
	io.Closer
}

// transport returns what sends the requests, over the version of HTTP that the
// flags ask for.
func (o *getOptions) transport(a *app, conf *tls.Config) (closingTransport, error) {
	if o.http1 || o.http2 {
		t := &http.Transport{TLSClientConfig: conf, Protocols: new(http.Protocols), DisableCompression: true}
		t.Protocols.SetHTTP1(o.http1)
		t.Protocols.SetHTTP2(o.http2)
		return tcpTransport{t}, nil
	}
	socket, err := quic.NewTransport("", a.transportConfig())
	if err != nil {
		return nil, err
	}
	t := quicTransport{&http3.Transport{TLSClientConfig: conf, QUICConfig: a.quicConfig(), QUICTransport: socket, DisableCompression: true}, socket}
	if len(o.datagrams) > 0 {
		t.EnableDatagrams = true
		return datagramTransport{t, o.datagrams, time.Duration(o.wait)}, nil
	}
	return t, nil
}

// tcpTransport is HTTP/1.1 or HTTP/2.
type tcpTransport struct{ *http.Transport }

func (t tcpTransport) Close() error {
	t.CloseIdleConnections()
	return nil
}

// quicTransport is HTTP/3 with its socket.
type quicTransport struct {
	*http3.Transport
	socket *quic.Transport
}

// Close tells the servers that the connections end.
func (t quicTransport) Close() error { return errors.Join(t.Transport.Close(), t.socket.Close()) }
