package http3

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// seeRequest notes what a handler knows of a request.
func seeRequest(v *visit, r *http.Request) {
	v.see("%s %s", r.Method, r.RequestURI)
	v.see("URL %q, path %q, raw %q, query %q", r.URL, r.URL.Path, r.URL.RawPath, r.URL.RawQuery)
	v.see("host %v, length %d, transfer %v, close %v", hostOf(v, r.Host), r.ContentLength, r.TransferEncoding, r.Close)
	for _, key := range slices.Sorted(maps.Keys(r.Header)) {
		if key != "User-Agent" || r.Header.Get(key) == "me" {
			v.see("%s: %s", key, strings.Join(r.Header[key], " / "))
		}
	}
}

// hostOf hides the server's port, which is another for every server.
func hostOf(v *visit, host string) string {
	if host == strings.TrimPrefix(v.url, "https://") {
		return "as in the URL"
	}
	return host
}

func describeRequest(v *visit, w http.ResponseWriter, r *http.Request) { seeRequest(v, r) }

// getting makes rows of GET requests that the handler describes.
func getting(name, path string, fields ...string) behaviour {
	return behaviour{name: name, handler: describeRequest, visit: func(v *visit) { v.get(path, fields...) }}
}

// sending makes rows of requests that need more than fields.
func sending(name string, edit func(r *http.Request)) behaviour {
	return behaviour{name: name, handler: describeRequest, visit: func(v *visit) {
		req := v.request("GET", "/", nil)
		edit(req)
		v.send(req)
	}}
}

// oracleRequest: what a handler sees of a request.
var oracleRequest = append(family([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"}, func(method string) behaviour {
	return behaviour{name: "method " + method, handler: describeRequest, visit: func(v *visit) { v.send(v.request(method, "/", nil)) }}
}), []behaviour{
	sending("no method", func(r *http.Request) { r.Method = "" }),
	getting("query", "/a/b?x=1&y=2&x=3"),
	getting("empty query", "/a?"),
	getting("semicolon in the query", "/a?x=1;y=2"),
	getting("escapes in the path", "/a%2Fb/%20c?d=%26"),
	getting("path with dots", "/a/../b/./c"),
	getting("path with slashes", "//a///b"),
	getting("UTF-8 in the path", "/grüße"),
	getting("long path", "/"+strings.Repeat("a", 5000)),
	getting("fragment", "/a#b"),
	sending("opaque URL", func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: r.URL.Host, Opaque: "/opaque%20path"} }),
	sending("no path", func(r *http.Request) { r.URL.Path = "" }),
	sending("own Host", func(r *http.Request) { r.Host = "other.example:99" }),
	sending("Host as a field", func(r *http.Request) { r.Header.Set("Host", "field.example") }),
	getting("fields", "/", "X-One: 1", "x-two: 2", "X-Two: 3"),
	getting("field with an empty value", "/", "X-Empty: "),
	differing([]difference{{http2, "client: 200 OK; length 0; Content-Length: 0; \"\" | server: GET /; URL \"/\", path \"/\", raw \"\", query \"\"; host as in the URL, length 0, transfer [], close false; Accept-Encoding: gzip; X-Blank:  a b\t", "net/http's HTTP/2 keeps the blanks, though RFC 9110, Section 5.5, says that they are not part of the value"}}, getting("value with blanks around, in a request", "/", "X-Blank:  a b\t")),
	getting("cookies in a request", "/", "Cookie: a=1; b=2"),
	differing([]difference{{http1, `client: 200 OK; length 0; Content-Length: 0; "" | server: GET /; URL "/", path "/", raw "", query ""; host as in the URL, length 0, transfer [], close false; Accept-Encoding: gzip; Cookie: a=1 / b=2`, "RFC 9114, Section 4.2.1: what was split for compression is joined again"}}, getting("cookies in two fields", "/", "Cookie: a=1", "Cookie: b=2")),
	getting("own User-Agent", "/", "User-Agent: me"),
	getting("own Content-Length in a request", "/", "Content-Length: 7"),
	differing([]difference{{http1, `client: 200 OK; length 0; Content-Length: 0; "" | server: GET /; URL "/", path "/", raw "", query ""; host as in the URL, length 0, transfer [], close false; Accept-Encoding: gzip; Keep-Alive: 5; Proxy-Connection: x`, "RFC 9114, Section 4.2: fields of a connection are not sent"}}, getting("fields of a connection in a request", "/", "Keep-Alive: 5", "Proxy-Connection: x")),
	getting("TE", "/", "Te: trailers"),
	getting("own Accept-Encoding", "/", "Accept-Encoding: br"),
	sending("basic authorization", func(r *http.Request) { r.SetBasicAuth("user", "pass") }),
	sending("user in the URL", func(r *http.Request) { r.URL.User = url.UserPassword("user", "pass") }),
	sending("no header", func(r *http.Request) { r.Header = nil }),
	sending("asterisk", func(r *http.Request) { r.Method, r.URL.Path, r.URL.Opaque = "OPTIONS", "", "*" }),
	{name: "user agent by itself", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%v", r.UserAgent() != "")
	}},
	{name: "no user agent", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		_, ok := r.Header["User-Agent"]
		v.see("%v", ok)
	}, visit: func(v *visit) { v.get("/", "User-Agent: ") }},
	{name: "form", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%s", kind(r.ParseForm()))
		v.see("%q %q", r.Form, r.PostForm)
	}, visit: func(v *visit) { v.post("/?a=1", "b=2&a=3", "Content-Type: application/x-www-form-urlencoded") }},
	{
		name: "multipart form",
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			v.see("%s", kind(r.ParseMultipartForm(1<<20)))
			file, header, err := r.FormFile("file")
			if err == nil {
				content, _ := io.ReadAll(file)
				v.see("%s %q", header.Filename, content)
			}
			v.see("%q, %s", r.FormValue("a"), kind(err))
		},
		visit: func(v *visit) {
			const content = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
				"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\ncontent\r\n--B--\r\n"
			v.post("/", content, "Content-Type: multipart/form-data; boundary=B")
		},
	},
	{name: "addresses", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.RemoteAddr)
		v.see("%s, port %v, %s", host, port != "", kind(err))
		local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		v.see("local %v %v", ok, ok && "https://"+local.String() == v.url)
		v.see("server %v", r.Context().Value(http.ServerContextKey) != nil)
	}},
	{name: "TLS", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%v, complete %v, name %q, version %x", r.TLS != nil, r.TLS.HandshakeComplete, r.TLS.ServerName, r.TLS.Version)
	}},
	{name: "protocol", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%v", r.Proto == fmt.Sprintf("HTTP/%d.%d", r.ProtoMajor, r.ProtoMinor))
		v.see("%v", strings.HasPrefix(r.Proto, v.protocol))
	}},
	{name: "body of a GET request", differs: []difference{{http2, `client: 200 OK; length 0; Content-Length: 0; "" | server: false, 0; 0, EOF`, "net/http's HTTP/2 gives an empty body that is not http.NoBody"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%v, %v", r.Body == http.NoBody, r.ContentLength)
		n, err := r.Body.Read(make([]byte, 1))
		v.see("%d, %s", n, kind(err))
	}},
	{name: "context derived", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		type key struct{}
		r = r.WithContext(context.WithValue(r.Context(), key{}, "value"))
		_, deadline := r.Context().Deadline()
		v.see("%v, %v, %v", r.Context().Value(key{}), r.Context().Err(), deadline)
	}},
	{name: "clone", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		seeRequest(v, r.Clone(r.Context()))
	}},
}...)
