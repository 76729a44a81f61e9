# A shared object stands alone: what it needs of the runtime is inside, and not visible.
"$ACTC" "$SOURCE/tests/e2e/xor.act" -o libxor.so
nm -D --defined-only libxor.so | awk '{ print $3 }' | sort > defined
printf '%s\n' xor_bind xor_evaluate xor_forward xor_init xor_model xor_train_step | diff - defined
sed 's/xor.h/libxor.h/' "$SOURCE/tests/e2e/xor.c" > main.c
"$CC" -std=c11 -I "$INCLUDE" -I . main.c -L . -lxor -Wl,-rpath,. $LINK_FLAGS -o xor
./xor
