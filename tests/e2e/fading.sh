# Optimizer state whose gradients have become 0 fades to 0, and does not stay below the normal numbers, where arithmetic is slow.
"$ACTC" "$SOURCE/tests/e2e/fading.act" -o fading.o
"$CC" -std=c11 -Wall -Wextra -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/fading.c" fading.o "$CORE" $LINK_FLAGS -lpthread -lm -o fading
./fading
