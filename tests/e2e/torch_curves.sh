# A hundred steps from PyTorch's initial weights follow PyTorch's loss to 1e-4, under three optimizers.
"$ACTC" "$SOURCE/tests/e2e/torch_curves/mlp.act" -o mlp.o
"$CC" -std=c11 -Wall -Wextra -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/torch_curves/curves.c" mlp.o "$RUNTIME" $LINK_FLAGS \
    -lcjson -lz -lpthread -lm -o curves
./curves "$SOURCE/tests/fixtures/torch"
