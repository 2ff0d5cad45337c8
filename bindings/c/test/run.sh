#!/bin/sh
# Tests of the C library in dist, with each compiler that is there. What is not there is
# said, and left out.
set -eu
cd "$(dirname "$0")/.."
dist=$PWD/dist
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

left_out() {
	echo "LEFT OUT: $1"
	if [ -n "${GODWIT_LEFT_OUT:-}" ]; then echo "$1" >> "$GODWIT_LEFT_OUT"; fi
}

link="-I$dist -L$dist -lgodwit -Wl,-rpath,$dist -lpthread"
for cc in gcc clang; do
	if ! command -v $cc > /dev/null; then
		if [ $cc = clang ]; then left_out "the C library with clang: apt-get install clang"; fi
		continue
	fi
	echo "== $cc, AddressSanitizer"
	$cc -std=c11 -Wall -Wextra -Werror -g -fsanitize=address,undefined -o "$out/test-$cc" test/test.c $link
	"$out/test-$cc" 1000000 1000
	for example in echo http3 session; do
		$cc -std=c11 -Wall -Wextra -Werror -g -fsanitize=address,undefined -o "$out/$example-$cc" examples/$example.c $link
	done
	"$out/session-$cc" > "$out/session.log"
	grep -q 'closed with code 7: that was all' "$out/session.log"
done

echo "== examples"
"$dist/echo" serve 127.0.0.1:0 > "$out/echo.log" &
server=$!
trap 'kill $server 2> /dev/null || true; rm -rf "$out"' EXIT
while ! grep -q listening "$out/echo.log"; do sleep 0.05; done
address=$(sed -n 's/listening on //p' "$out/echo.log")
[ "$("$dist/echo" ask "$address" 'hello, bird')" = 'hello, bird' ]
if command -v python3 > /dev/null; then
	[ "$(python3 examples/client.py "$dist/libgodwit.so" "$address" 'hello from Python')" = 'hello from Python' ]
else
	left_out "the C library from Python: apt-get install python3"
fi
kill $server

echo "== signals"
cc=${CC:-cc}
$cc -std=c11 -Wall -Wextra -o "$out/signals" test/signals.c -ldl
"$out/signals" "$dist/libgodwit.so"

echo "== the archive, pkg-config, CMake"
make -s install DESTDIR="$out/root" PREFIX=/usr
if command -v pkg-config > /dev/null; then
	flags=$(PKG_CONFIG_PATH="$out/root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$out/root" pkg-config --cflags --libs godwit)
	$cc -o "$out/session-pc" examples/session.c $flags -I"$out/root/usr/include" -L"$out/root/usr/lib" -Wl,-rpath,"$out/root/usr/lib"
	"$out/session-pc" > /dev/null
else
	left_out "the C library by pkg-config: apt-get install pkg-config"
fi
if command -v cmake > /dev/null; then
	cmake -S test -B "$out/cmake" -DCMAKE_PREFIX_PATH="$out/root/usr" > "$out/cmake.log"
	cmake --build "$out/cmake" >> "$out/cmake.log"
	"$out/cmake/session" > /dev/null
	"$out/cmake/session-static" > /dev/null
else
	left_out "the C library by CMake: apt-get install cmake"
fi
echo "the C library: ok"
