# Inputs that a model draws: the C interface does not ask for them, and what they are depends on seed and row alone.
"$ACTC" "$SOURCE/tests/e2e/drawn.act" --batch 8 -o drawn.o
"$CC" -std=c11 -Wall -Wextra -Werror -I "$INCLUDE" -I . "$SOURCE/tests/e2e/drawn.c" drawn.o "$CORE" $LINK_FLAGS -lpthread -lm -o drawn
./drawn

# The training program: trains by real rows, then predicts without any.
printf '1,0\n0,1\n1,1\n0,0\n1,0\n' > points.csv
"$ACTC" "$SOURCE/tests/e2e/drawn.act" --batch 8 -o program
./program train --data . --epochs 2 > log
grep -q 'loss [0-9.]* (real [0-9.]*, d [0-9.]*, g [0-9.]*)' log
grep -q 'adam(lr = 0.01) for g, sgd(lr = 0.1) for d' log
mkdir -p elsewhere && cp drawn.safetensors elsewhere
cd elsewhere
test "$(../program predict | wc -l)" = 16
../program predict --rows 20 --digits 9 > one
../program predict --rows 20 --digits 9 --threads 2 > two
cmp one two
test "$(sort -u one | wc -l)" = 20
"$ACTC" "$SOURCE/tests/e2e/drawn.act" --batch 3 -o smaller
./smaller predict --rows 20 --digits 9 > smaller.txt 2> note
cmp one smaller.txt
../program predict --rows 20 --digits 9 --seed 2 > other
! cmp -s one other

# Images side by side: 3 x 3 of 4 x 6 pixels, two black pixels around each.
../program predict --rows 9 --format png --to nine.png
test "$(od -An -tx1 -j1 -N3 nine.png)" = ' 50 4e 47'
test "$(od -An -tu1 -j16 -N8 nine.png | tr -s ' ')" = ' 0 0 0 26 0 0 0 20'
../program predict --rows 9 --format png --threads 2 --to again.png
cmp nine.png again.png
