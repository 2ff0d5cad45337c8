#!/bin/sh
# Tests of the C library in dist, with each compiler that is there. What is not there is
# said, and left out.
set -eu
cd "$(dirname "$0")/.."
dist=$PWD/dist
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# left_out NAME WHAT: in CI that may be only of what GODWIT_WITHOUT names.
left_out() {
	echo "LEFT OUT: $2"
	if [ -n "${GODWIT_LEFT_OUT:-}" ]; then echo "$2" >> "$GODWIT_LEFT_OUT"; fi
	case " ${GODWIT_WITHOUT:-} " in *" $1 "*) return 0 ;; esac
	if [ -n "${CI:-}" ]; then exit 1; fi
}

link="-I$dist -L$dist -lgodwit -Wl,-rpath,$dist -lpthread"
for cc in gcc clang; do
	if ! echo 'int main(void) { return 0; }' | $cc -fsanitize=address -x c -o "$out/none" - 2> /dev/null; then
		if [ $cc = clang ]; then left_out clang "the C library with clang: apt-get install clang libclang-rt-dev"; fi
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

if command -v valgrind > /dev/null; then
	# A library that tells valgrind of Go's memory. What its collector and its scheduler do
	# with stacks is theirs alone; leaks are found by AddressSanitizer above.
	echo "== valgrind"
	CGO_ENABLED=1 ${GO:-go} build -tags=valgrind -trimpath -ldflags=-w -buildmode=c-shared -o "$out/libgodwit.so" .
	${CC:-cc} -std=c11 -g -o "$out/test-valgrind" test/test.c "-I$dist" "-L$out" -lgodwit "-Wl,-rpath,$out" -lpthread
	valgrind -q --error-exitcode=1 --error-limit=no --leak-check=no --suppressions=test/valgrind.supp "$out/test-valgrind" 1000 10
else
	left_out valgrind "the C library under valgrind: apt-get install valgrind"
fi

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
	left_out python3 "the C library from Python: apt-get install python3"
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
	left_out pkg-config "the C library by pkg-config: apt-get install pkg-config"
fi
if command -v cmake > /dev/null; then
	cmake -S test -B "$out/cmake" -DCMAKE_PREFIX_PATH="$out/root/usr" > "$out/cmake.log"
	cmake --build "$out/cmake" >> "$out/cmake.log"
	"$out/cmake/session" > /dev/null
	"$out/cmake/session-static" > /dev/null
else
	left_out cmake "the C library by CMake: apt-get install cmake"
fi
echo "the C library: ok"
