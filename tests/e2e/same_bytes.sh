# Compiling twice gives the same bytes, whatever the directory and the time.
mkdir -p one two
for folder in one two; do
    (cd $folder && cp "$SOURCE/tests/e2e/xor.act" . &&
     for out in xor.o xor.a xor.so xor.s xor.ll xor.bc xor.dot xor; do "$ACTC" xor.act -o $out -g; done)
done
for out in xor.o xor.a xor.so xor.s xor.ll xor.bc xor.dot xor.h xor; do
    cmp one/$out two/$out
done
