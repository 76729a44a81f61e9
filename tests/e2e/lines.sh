# -g: every instruction of a kernel and of its register tiles belongs to the line of the layer it works for. The two hidden layers are alike:
# without -g one tile serves both.
command -v objdump addr2line > /dev/null || exit 0 # binutils, which gcc brings along
test "$(uname -m)" = x86_64 || exit 0
cat > lines.act <<'END'
model lines {
    input  x : f32[64]
    target y : class(10)
    h1 = x |> linear(64) |> relu
    h2 = h1 |> linear(64) |> relu
    z = h2 |> linear(10)
    loss cross_entropy(z, y)
}
train lines {
    epochs    1
    batch     32
    optimizer sgd(lr = 0.1)
}
END
tiles() { objdump -d --no-show-raw-insn $1 | sed -n 's/^\([0-9a-f]*\) <\(act\.tile\..*\)>:$/\1 \2/p'; }
"$ACTC" lines.act -o plain.o
"$ACTC" lines.act -o lines.o -g
test $(tiles plain.o | wc -l) -gt 0
test $(tiles lines.o | wc -l) -gt $(tiles plain.o | wc -l)
# The address of every multiply-add inside a tile, not only of its first instruction.
objdump -d --no-show-raw-insn lines.o |
    awk '/^[0-9a-f]+ <act\.tile\./ { tile = 1 } /^$/ { tile = 0 } tile && /mul|fmadd/ { sub(":", "", $1); print $1 }' > addresses
test -s addresses
addr2line -e lines.o < addresses | sed 's/ (discriminator.*//' | sort | uniq -c | tee places
for line in 4 5 6; do grep -q "lines.act:$line\$" places; done
! grep -qv 'lines.act:[456]$' places
# A profiler asks by function: kernels have lines of their own, too.
objdump -d --no-show-raw-insn lines.o | sed -n 's/^\([0-9a-f]*\) <lines\.train_step\.k.*>:$/\1/p' | addr2line -e lines.o | grep -q 'lines.act:5'
