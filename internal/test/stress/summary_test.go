package main

import (
	"strings"
	"testing"
)

func TestSumUp(t *testing.T) {
	s := sumUp(strings.NewReader(`{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"fine\n"}
{"Action":"pass","Package":"a","Test":"TestGood","Elapsed":0}
{"Action":"run","Package":"a","Test":"TestBad"}
{"Action":"output","Package":"a","Test":"TestBad","Output":"first\n"}
{"Action":"fail","Package":"a","Test":"TestBad","Elapsed":0}
{"Action":"run","Package":"a","Test":"TestBad"}
{"Action":"output","Package":"a","Test":"TestBad","Output":"second\n"}
{"Action":"fail","Package":"a","Test":"TestBad","Elapsed":0}
{"Action":"fail","Package":"a","Elapsed":1}
`))
	if got, want := s.String(), "1 passed\n--- FAILED 2 times: TestBad\nsecond\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A package that does not build, or ends outside of its tests, fails as a whole.
func TestSumUpPackage(t *testing.T) {
	s := sumUp(strings.NewReader(`{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Output":"panic: oh\n"}
{"Action":"fail","Package":"a","Elapsed":1}
not JSON`))
	if got, want := s.String(), "0 passed\n--- FAILED 1 times: \npanic: oh\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
