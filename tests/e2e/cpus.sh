# Every level of processor, at every effort: what this machine can run trains; what it cannot run says so.
for cpu in x86-64 x86-64-v2 x86-64-v3 x86-64-v4; do
    test "$(uname -m)" = x86_64 || break
    for level in 0 1 3; do
        "$ACTC" "$SOURCE/tests/e2e/xor.act" -o xor.o --target x86_64-linux-gnu --cpu $cpu -O$level
        "$CC" -std=c11 -I "$INCLUDE" -I . "$SOURCE/tests/e2e/xor.c" xor.o "$CORE" $LINK_FLAGS -lpthread -lm -o xor
        code=0
        ./xor || code=$?
        # bind refused (1) is right where the processor lacks something
        test $code = 0 || { test $code = 1 && test $cpu != x86-64 && ! grep -q avx512vl /proc/cpuinfo; }
    done
done
"$ACTC" "$SOURCE/tests/e2e/xor.act" -o arm.o --target aarch64-linux-gnu
test "$(od -An -tx1 -j18 -N2 arm.o | tr -d ' ')" = b700
