# The monitor leaves the same bytes: a watched step against the plain one, losses, parameters and optimizer state, with 1 and 2 threads; and in an
# object without it there is nothing of it: the functions of both are the same.
"$CC" -std=c11 -O1 -I "$INCLUDE" -I "$SOURCE/runtime" "$SOURCE/tests/e2e/monitor/watched.c" -Wl,--whole-archive "$RUNTIME" -Wl,--no-whole-archive -rdynamic \
    -lcjson -lz -lpthread -lm -ldl $LINK_FLAGS -o watched
for name in ${MODELS:-sequence tied looked_up}; do
    "$ACTC" "$SOURCE/tests/models/$name.act" --monitor -A all -o "$name.so"
    for model in $(sed -n 's/^model *\([a-z0-9_]*\).*/\1/p' "$SOURCE/tests/models/$name.act"); do
        for threads in 1 2; do ./watched "./$name.so" "$model" $threads 4; done
    done
done

"$ACTC" "$SOURCE/tests/models/tied.act" -A all -o plain.o
"$ACTC" "$SOURCE/tests/models/tied.act" -A all --monitor -o watched.o
! nm plain.o | grep -q watch
nm watched.o | grep -q 'watch_step$'
code() { objdump -d --no-show-raw-insn --no-addresses "$1" | sed -n '/^<.*train_step.*>:/,/^$/p' | sed 's/<.*>//; /nop/d; /^$/d'; }
code plain.o > plain.txt
code watched.o > watched.txt
test -s plain.txt
cmp plain.txt watched.txt
python3 -B "$SOURCE/tests/e2e/monitor/run.py" "$ACTC"
