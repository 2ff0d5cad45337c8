package http3

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"time"
)

// oracleClient: http.Client over the transports.
var oracleClient = append(family([]int{301, 302, 303, 307, 308}, func(status int) behaviour {
	return behaviour{name: "redirect " + http.StatusText(status), handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", status)
			return
		}
		content, _ := io.ReadAll(r.Body)
		v.see("%s %q referer %v", r.Method, content, r.Referer() != "")
	}, visit: func(v *visit) { v.post("/", "content") }}
}), []behaviour{
	{name: "redirects without end", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/", http.StatusFound)
	}},
	{name: "redirect not followed", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/next", http.StatusFound)
	}, visit: func(v *visit) {
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		v.get("/")
	}},
	{name: "redirect to nowhere", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }},
	{name: "cookie jar", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%q", r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Secure: true})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", Path: "/"})
	}, visit: func(v *visit) {
		v.client.Jar, _ = cookiejar.New(nil)
		v.get("/")
		v.get("/again")
	}},
	{name: "response's request", handler: describeRequest, visit: func(v *visit) {
		req := v.request("GET", "/", nil)
		resp, err := v.client.Do(req)
		if err == nil {
			v.note("%v, %s", resp.Request.URL == req.URL, resp.Request.Method)
			resp.Body.Close()
		}
	}},
	{name: "response's TLS", handler: describeRequest, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			v.note("%v, %v, %d", resp.TLS != nil, resp.TLS.HandshakeComplete, len(resp.TLS.PeerCertificates))
			resp.Body.Close()
		}
	}},
	{name: "response's protocol", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			v.note("%v, %v", strings.HasPrefix(resp.Proto, v.protocol), resp.ProtoAtLeast(1, 1))
			resp.Body.Close()
		}
	}},
	{name: "response without content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			n, err := resp.Body.Read(make([]byte, 1))
			v.note("%d, %s, %s", n, kind(err), kind(resp.Body.Close()))
		}
	}},
	{name: "body closed twice", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") }, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			v.note("%s, %s", kind(resp.Body.Close()), kind(resp.Body.Close()))
		}
	}},
	{name: "body read after its end", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") }, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			io.Copy(io.Discard, resp.Body)
			n, err := resp.Body.Read(make([]byte, 1))
			v.note("%d, %s", n, kind(err))
			resp.Body.Close()
		}
	}},
	{name: "read of nothing", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") }, visit: func(v *visit) {
		if resp, err := v.client.Do(v.request("GET", "/", nil)); err == nil {
			n, err := resp.Body.Read(nil)
			v.note("%d, %s", n, kind(err))
			v.read(resp)
		}
	}},
	{name: "request unchanged", handler: describeRequest, visit: func(v *visit) {
		req := v.request("POST", "/", strings.NewReader("content"), "X-A: 1")
		before := req.Header.Clone()
		v.send(req)
		v.note("%v, %d", len(before) == len(req.Header), req.ContentLength)
	}},
	{name: "many at once", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		w.Write(content)
	}, visit: func(v *visit) {
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				sent := bytes.Repeat([]byte{byte(i)}, 1000*i)
				resp, err := v.client.Do(v.request("POST", "/", bytes.NewReader(sent)))
				if err != nil {
					v.note("%v", err)
					return
				}
				defer resp.Body.Close()
				if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, sent) {
					v.note("%d bytes, %v", len(got), err)
				}
			})
		}
		group.Wait()
		v.note("done")
	}},
}...)

// oracleRefused: requests that are not sent.
var oracleRefused = []behaviour{
	refused("URL without a host", func(r *http.Request) { r.URL.Host = "" }),
	refused("no URL", func(r *http.Request) { r.URL = nil }),
	refused("unknown scheme", func(r *http.Request) { r.URL.Scheme = "gopher" }),
	differing([]difference{{http2, `client: sent: true; closed: true | server: bad method /; URL "/", path "/", raw "", query ""; host as in the URL, length -1, transfer [], close false; Accept-Encoding: gzip`, "net/http's HTTP/2 sends it, though RFC 9110, Section 9.1, has it be a token"}}, refused("invalid method", func(r *http.Request) { r.Method = "bad method" })),
	refused("invalid field name", func(r *http.Request) { r.Header["bad name"] = []string{"1"} }),
	refused("invalid field value", func(r *http.Request) { r.Header.Set("X-A", "a\nb") }),
	refused("invalid trailer name", func(r *http.Request) { r.Trailer = http.Header{"bad name": {"1"}} }),
	refused("trailer that may not be one, in a request", func(r *http.Request) { r.Trailer = http.Header{"Content-Length": {"1"}} }),
	differing([]difference{{http1, `client: sent: true; closed: true | server: POST /; URL "/", path "/", raw "", query ""; host as in the URL, length -1, transfer [chunked], close false; Accept-Encoding: gzip`, "RFC 9114, Section 4.2: fields of a connection are not sent"}}, refused("Transfer-Encoding in a request", func(r *http.Request) { r.Header.Set("Transfer-Encoding", "gzip") })),
	differing([]difference{{http1, `client: sent: true; closed: true | server: POST /; URL "/", path "/", raw "", query ""; host as in the URL, length -1, transfer [chunked], close false; Accept-Encoding: gzip; Upgrade: websocket`, "RFC 9114, Section 4.2: fields of a connection are not sent"}}, refused("Upgrade in a request", func(r *http.Request) { r.Header.Set("Upgrade", "websocket") })),
	differing([]difference{{http1, `client: sent: true; closed: true | server: POST /; URL "/", path "/", raw "", query ""; host as in the URL, length -1, transfer [chunked], close false; Accept-Encoding: gzip; Connection: upgrade, x`, "RFC 9114, Section 4.2: fields of a connection are not sent"}}, refused("Connection in a request", func(r *http.Request) { r.Header.Set("Connection", "upgrade, x") })),
}

// refused makes a row of a request that http.Client is not asked to send, as it
// would change it.
func refused(name string, edit func(r *http.Request)) behaviour {
	return behaviour{name: name, handler: describeRequest, visit: func(v *visit) {
		body := &watchedBody{Reader: strings.NewReader("content")}
		req := v.request("POST", "/", body)
		edit(req)
		resp, err := v.client.Transport.RoundTrip(req)
		v.note("sent: %v", err == nil)
		if err == nil {
			resp.Body.Close()
		}
		v.note("closed: %v", eventually(body.closed.Load))
	}}
}

// oracleTrace: package httptrace.
var oracleTrace = []behaviour{
	{name: "trace of a request", handler: echo, visit: func(v *visit) {
		v.get("/") // there is a connection now
		sendTraced(v, v.request("POST", "/", strings.NewReader("content")))
	}},
	{name: "trace without a body", handler: describeRequest, visit: func(v *visit) {
		v.get("/")
		sendTraced(v, v.request("GET", "/", nil))
	}},
	{name: "trace of a new connection", settings: settings{disableCompression: true}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: func(v *visit) {
		sendTraced(v, v.request("GET", "/", nil))
	}},
	{name: "trace of the fields", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: func(v *visit) {
		var seen []string
		req := v.request("GET", "/", nil, "X-A: 1")
		v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			WroteHeaderField: func(key string, value []string) {
				seen = append(seen, strings.ToLower(key)+"="+strings.Join(value, ","))
			},
		})))
		v.note("%v, %v", slices.Contains(seen, "x-a=1"), slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "user-agent=") }))
	}},
	{name: "trace of waiting", settings: settings{expectTimeout: time.Hour}, handler: echo, visit: func(v *visit) {
		req := v.request("POST", "/", strings.NewReader("content"), "Expect: 100-continue")
		var waited, leave bool
		v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Wait100Continue: func() { waited = true },
			Got100Continue:  func() { leave = true },
		})))
		v.note("%v, %v", waited, leave)
	}},
	{name: "trace of a connection", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { v.see("%v", r.RemoteAddr != "") }, visit: func(v *visit) {
		req := v.request("GET", "/", nil)
		v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) {
				v.note("%v, %v", "https://"+info.Conn.RemoteAddr().String() == v.url, info.Conn.LocalAddr() != nil)
			},
		})))
	}},
}

// sendTraced sends a request and has its events noted. The end of writing may come
// before or after the response, and so is noted last.
func sendTraced(v *visit, req *http.Request) {
	wrote, first := make(chan error, 1), make(chan bool, 1)
	v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn:              func(hostPort string) { v.note("got %v", "https://"+hostPort == v.url) },
		GotConn:              func(info httptrace.GotConnInfo) { v.note("reused %v, idle %v", info.Reused, info.WasIdle) },
		WroteHeaders:         func() { v.note("wrote header") },
		GotFirstResponseByte: func() { first <- true },
		WroteRequest:         func(info httptrace.WroteRequestInfo) { wrote <- info.Err },
	})))
	v.note("wrote request: %s", kind(wait(v.t, "the request to be written", wrote)))
	v.note("first byte: %v", wait(v.t, "the first byte", first))
}

// oracleGzip: compression that the user does not see.
var oracleGzip = []behaviour{
	{name: "gzip", handler: serveGzip},
	{name: "gzip of unknown length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		serveGzip(v, w, r)
	}},
	{name: "gzip by HEAD", handler: serveGzip, visit: head},
	{name: "gzip of a range", handler: serveGzip, visit: func(v *visit) { v.get("/", "Range: bytes=0-") }},
	{name: "gzip asked for by hand", handler: serveGzip, visit: func(v *visit) { v.get("/", "Accept-Encoding: gzip") }},
	{name: "gzip disabled", settings: settings{disableCompression: true}, handler: serveGzip},
	{name: "gzip that is none", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "this is not gzip")
	}},
	{name: "gzip cut off", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		b := gzipped(strings.Repeat("content", 1000))
		w.Write(b[:len(b)/2])
	}},
	{name: "gzip and trailers", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A")
		serveGzip(v, w, r)
		w.Header().Set("X-A", "1")
	}},
	{name: "encoding nobody asked for", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, "br")
	}},
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	io.WriteString(zw, s)
	zw.Close()
	return b.Bytes()
}

// serveGzip serves compressed content to those who take it.
func serveGzip(v *visit, w http.ResponseWriter, r *http.Request) {
	v.see("%q", r.Header.Get("Accept-Encoding"))
	w.Header().Set("Content-Type", "text/plain")
	if r.Header.Get("Accept-Encoding") != "gzip" {
		io.WriteString(w, "plain")
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Write(gzipped("compressed"))
}

// oracleLimits: limits in size and time.
var oracleLimits = []behaviour{
	{name: "request header too large", settings: settings{maxHeaderBytes: 4000}, handler: describeRequest, visit: func(v *visit) {
		resp, err := v.client.Do(v.request("GET", "/", nil, "X-Large: "+strings.Repeat("x", 20_000)))
		v.note("answered with success: %v", err == nil && resp.StatusCode == 200)
	}},
	{name: "request header just small enough", settings: settings{maxHeaderBytes: 4000}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%d", len(r.Header.Get("X-Large")))
	}, visit: func(v *visit) { v.get("/", "X-Large: "+strings.Repeat("x", 3000)) }},
	{name: "response header too large", settings: settings{maxResponseHeaderBytes: 4000}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 20_000))
	}},
	{name: "response header timeout", differs: []difference{{http2, "client: no response: a timeout", "net/http's HTTP/2 has a timeout that is not context.DeadlineExceeded"}}, settings: settings{responseHeaderTimeout: short}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}},
	{name: "response header in time", settings: settings{responseHeaderTimeout: 10 * short}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		time.Sleep(11 * short) // only the header has a limit
		io.WriteString(w, "content")
	}},
	{name: "server's read timeout", settings: settings{readTimeout: 4 * short}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		v.see("fails: %v", err != nil)
	}, visit: func(v *visit) {
		pr, pw := io.Pipe()
		defer pw.Close()
		ctx, cancel := context.WithCancel(v.ctx)
		defer cancel()
		go func() {
			eventually(func() bool { return strings.Contains(v.observed(), "fails") })
			cancel()
			pw.CloseWithError(context.Canceled)
		}()
		if resp, err := v.client.Do(v.request("POST", "/", pr).WithContext(ctx)); err == nil {
			resp.Body.Close()
		}
		v.note("done")
	}},
	{name: "server's write timeout", settings: settings{writeTimeout: 4 * short}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		time.Sleep(6 * short)
		io.WriteString(w, "too late")
	}},
	{name: "server's write timeout moved", settings: settings{writeTimeout: 4 * short}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%s", kind(http.NewResponseController(w).SetWriteDeadline(time.Time{})))
		time.Sleep(6 * short)
		io.WriteString(w, "in time")
	}},
}
