# Adversarial losses: each trains its own group, by gradients at the weights before the step.
"$ACTC" "$SOURCE/tests/e2e/sides.act" -o sides.o -A untrained_group
"$CC" -std=c11 -Wall -Wextra -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/sides.c" sides.o "$CORE" $LINK_FLAGS -lpthread -lm -o sides
./sides
