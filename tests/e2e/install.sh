# Installed somewhere else, actc finds its runtime.
rm -rf prefix
mkdir -p prefix/bin prefix/lib
cp "$ACTC" prefix/bin/actc
cp "$RUNTIME" prefix/lib/libactrt.a
prefix/bin/actc "$SOURCE/tests/e2e/xor.act" -o xor
./xor --help > /dev/null
# Without it there is one clear message and no output.
rm prefix/lib/libactrt.a xor
prefix/bin/actc "$SOURCE/tests/e2e/xor.act" -o xor 2> message && exit 1
grep -q 'cannot find libactrt.a' message
test ! -e xor
# Nor is there one without a compiler.
cp "$RUNTIME" prefix/lib/libactrt.a
PATH=/nowhere prefix/bin/actc "$SOURCE/tests/e2e/xor.act" -o xor 2> message && exit 1
/usr/bin/grep -q 'no `cc` found' message
test ! -e xor
