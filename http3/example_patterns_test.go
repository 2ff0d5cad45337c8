package http3_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/http3/http3test"
)

// A client that shows a certificate, to a server that wants one of its own authority.
func ExampleTransport_clientCertificate() {
	cert, err := certificateOf("Acme Co") // as tls.LoadX509KeyPair reads one
	if err != nil {
		log.Fatal(err)
	}
	authority := x509.NewCertPool() // here of one certificate, its own authority
	authority.AddCert(cert.Leaf)

	srv := http3test.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello,", r.TLS.PeerCertificates[0].Subject.Organization)
	}))
	srv.Config.TLSConfig = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority}
	srv.Start()
	defer srv.Close()

	conf := srv.TLSClientConfig()
	conf.Certificates = []tls.Certificate{cert}
	transport := &http3.Transport{TLSClientConfig: conf}
	defer transport.Close()
	resp, err := (&http.Client{Transport: transport}).Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s", body)
	// Output: hello, [Acme Co]
}

// certificateOf makes a certificate for clients, and its key.
func certificateOf(organization string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Organization: []string{organization}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// Server-sent events: each leaves at once, and the handler ends with the client.
func ExampleServer_events() {
	gone := make(chan struct{})
	srv := http3test.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		w.Header().Set("Content-Type", "text/event-stream")
		for n := 1; ; n++ {
			fmt.Fprintf(w, "data: event %d\n\n", n)
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			select {
			case <-time.After(time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}))
	defer srv.Close()

	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	events := bufio.NewScanner(resp.Body)
	for seen := 0; seen < 2 && events.Scan(); {
		if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
			fmt.Println(data)
			seen++
		}
	}
	resp.Body.Close() // the server is told
	<-gone
	// Output:
	// event 1
	// event 2
}

// progress is a reader that tells how much of it has been read.
type progress struct {
	io.Reader
	n, all int64
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.n += int64(n)
	if p.n == p.all && n > 0 {
		fmt.Printf("%d of %d bytes\n", p.n, p.all) // a program shows each step
	}
	return n, err
}

// An upload that tells how far it is: a body is read as fast as the server takes it.
func ExampleTransport_upload() {
	srv := http3test.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 64<<20))
		if err != nil { // too large, or the client has gone
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		fmt.Fprintf(w, "%d bytes arrived", n)
	}))
	defer srv.Close()

	const size = 8 << 20
	req, err := http.NewRequest("PUT", srv.URL+"/file", &progress{Reader: io.LimitReader(zeros{}, size), all: size})
	if err != nil {
		log.Fatal(err)
	}
	req.ContentLength = size
	resp, err := srv.Client().Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s\n", answer)
	// Output:
	// 8388608 of 8388608 bytes
	// 8388608 bytes arrived
}

// zeros is what is uploaded, as a file would be.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A server that is stopped lets requests finish that have begun.
func ExampleServer_shutdown() {
	began := make(chan struct{})
	srv := http3test.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		time.Sleep(10 * time.Millisecond) // as work that takes a while
		io.WriteString(w, "whole")
	}))
	defer srv.Close()
	answer := make(chan string)
	go func() {
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-began
	patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stopped := make(chan error)
	go func() { stopped <- srv.Config.Shutdown(patience) }()
	fmt.Println(<-answer, <-stopped)
	// Output: whole <nil>
}
