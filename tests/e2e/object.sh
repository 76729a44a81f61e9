# An object, its header and thirty lines of C: it trains, and it calls nothing it should not.
"$ACTC" "$SOURCE/tests/e2e/xor.act" -o xor.o
"$CC" -std=c11 -Wall -Wextra -pedantic -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/xor.c" xor.o "$CORE" $LINK_FLAGS -lpthread -lm -o xor
./xor

nm -u xor.o | awk '{ print $2 }' | sort > undefined
grep -vxE 'act_(parallel|barrier|pool_share|cpu_has|fill)|memcpy|memset|_GLOBAL_OFFSET_TABLE_' undefined && exit 1

# What it defines is the header's, and nothing else.
nm -g --defined-only xor.o | awk '{ print $3 }' | sort > defined
printf '%s\n' xor_bind xor_evaluate xor_forward xor_init xor_model xor_train_step | diff - defined
