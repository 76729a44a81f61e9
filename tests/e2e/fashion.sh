# The demo's network as an object: a short C program trains it, and it calls nothing it should not.
"$ACTC" "$SOURCE/examples/fashion_mlp.act" -o fashion.o
test -f fashion.o && test -f fashion.h
"$CC" -std=c11 -Wall -Wextra -pedantic -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/fashion.c" fashion.o "$CORE" $LINK_FLAGS -lpthread -lm -o fashion
./fashion
nm -u fashion.o | awk '{ print $2 }' | sort > undefined
grep -vxE 'act_(parallel|barrier|pool_share|cpu_has|fill)|memcpy|memset|_GLOBAL_OFFSET_TABLE_' undefined && exit 1
exit 0
