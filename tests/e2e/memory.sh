# A training program takes the memory that --mem-report says, and its data, within a twentieth. The blocks are those of the header
# and of the model's description. A prediction does not pay for the optimizer.
cat > wide.act <<'END'
model wide {
    input  x : f32[1024]
    target y : class(1000)
    z = x |> linear(3072) |> gelu |> linear(2048) |> relu |> linear(1000)
    loss   cross_entropy(z, y)
    output z
}

data rows {
    train {
        x = npy("x.npy")
        y = npy("y.npy")
    }
    validation {
        x = npy("x.npy")
        y = npy("y.npy")
    }
}

train wide {
    data      rows
    epochs    2
    batch     128
    optimizer adam(lr = 1e-4)
}
END
cat > peak.py <<'END'
"""Runs a command; prints the most memory it had at one time, in bytes."""
import resource
import subprocess
import sys

subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
END
cat > data.py <<'END'
import array
import struct

ROWS, WIDTH, CLASSES = 256, 1024, 1000


def write(path, code, shape, data):
    head = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)


write("x.npy", "<f4", (ROWS, WIDTH), array.array("f", [(i * 37 % 101) / 101 for i in range(ROWS * WIDTH)]).tobytes())
write("y.npy", "<i4", (ROWS,), array.array("i", [i * 7 % CLASSES for i in range(ROWS)]).tobytes())
END
cat > field.py <<'END'
import json
import sys

lines = [json.loads(line) for line in open("report.json")]
total = lines[-1]
for column, block in (("weights", "param_bytes"), ("optimizer", "state_bytes")):
    assert sum(row[column] for row in lines[:-1]) == total[block], (column, total)
print(total[sys.argv[1]])
END
python3 data.py
"$ACTC" report --mem-report --format=json wide.act > report.json
"$ACTC" wide.act -o wide.o
"$ACTC" wide.act -o wide
cat > sizes.c <<'END'
#include "wide.h"
#include <stdio.h>
int main(void)
{
    printf("%llu %llu %llu\n", (unsigned long long)wide_model.param_bytes, (unsigned long long)wide_model.state_bytes,
           (unsigned long long)wide_model.work_bytes);
    printf("%llu %llu %llu\n", (unsigned long long)WIDE_PARAM_BYTES, (unsigned long long)WIDE_STATE_BYTES,
           (unsigned long long)WIDE_WORK_BYTES);
    return 0;
}
END
"$CC" -I "$INCLUDE" -I . sizes.c wide.o "$CORE" -lpthread -lm $LINK_FLAGS -o sizes
said="$(python3 field.py param_bytes) $(python3 field.py state_bytes) $(python3 field.py work_bytes)"
test "$(./sizes)" = "$said
$said"
all=$(python3 field.py all_bytes)
data=$((2 * 256 * (1024 * 4 + 4)))
training=$(python3 peak.py ./wide train --threads 2)
predicting=$(python3 peak.py ./wide predict --part train --format npy --to out.npy)
echo "said $all and $data of data; training took $training, predicting $predicting"
if test -z "$LINK_FLAGS"; then # a sanitizer's own memory would be counted, too
    test $((training * 20)) -lt $(((all + data) * 21))
    test $((training * 20)) -gt $(((all + data) * 19))
    test "$predicting" -lt $((all - $(python3 field.py best_bytes))) # although it holds the file of the weights for a while
fi
