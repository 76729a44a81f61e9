# A static library is read by ar and by the linker, with a long name too.
name=a_model_with_a_long_name
for out in xor.a $name.a; do
    "$ACTC" "$SOURCE/tests/e2e/xor.act" -o $out
    ar t $out
    nm -s $out | grep -q 'xor_train_step in '
    sed "s/xor.h/${out%.a}.h/" "$SOURCE/tests/e2e/xor.c" > main.c
    "$CC" -std=c11 -I "$INCLUDE" -I . main.c $out "$CORE" $LINK_FLAGS -lpthread -lm -o xor
    ./xor
done
test "$(ar t $name.a)" = $name.o
