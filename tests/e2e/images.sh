# Pictures in folders, from the `.act` file to the prediction of one: compiled with libpng and libjpeg, while a model without pictures is not.
rm -rf pictures
python3 -B - <<'PY'
import os, struct, zlib

def png(path, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))) + chunk(b"IEND", b""))

for part, count in ("train", 24), ("test", 6):
    for i in range(count):
        shade = lambda x, y: (x * 37 + y * 11 + i * 53) % 90
        png(f"pictures/{part}/left/{i:02}.png", [[255 - shade(x, y) if x < 4 else shade(x, y) for x in range(8)] for y in range(8)])
        png(f"pictures/{part}/right/{i:02}.png", [[255 - shade(x, y) if x >= 4 else shade(x, y) for x in range(8)] for y in range(8)])
PY
cat > sides.act <<'ACT'
model sides {
    input  picture : f32[8, 8, 1]
    target side    : class(2)
    h = picture |> flatten |> linear(8) |> relu |> linear(2)
    loss   cross_entropy(h, side)
    metric accuracy(h, side)
    output softmax(h)
}
data pictures {
    train {
        picture = images("pictures/train") / 255
        side    = images("pictures/train")
        augment crop(1)
    }
    test {
        picture = images("pictures/test") / 255
        side    = images("pictures/test")
    }
}
train sides {
    data pictures
    epochs 20
    batch 16
    optimizer adam(lr = 0.01)
}
ACT
"$ACTC" compile sides.act -o sides
./sides train > said.txt
grep -q 'accuracy 100.00 % (12 rows)' said.txt || { cat said.txt; exit 1; }
./sides predict --input pictures/test/right/03.png > one.txt
test "$(wc -l < one.txt)" -le 2
# the same from files that are mapped, converted once
cp sides.safetensors from-memory
ACT_DATA_MEMORY=0 ./sides train > mapped.txt
cmp sides.safetensors from-memory
test "$(grep -c 'was converted once' mapped.txt)" = 2
ACT_DATA_MEMORY=0 ./sides train > again.txt
cmp sides.safetensors from-memory
! grep -q 'was converted once' again.txt
# a model without pictures needs no libpng
sed 's/images("pictures\/[a-z]*")/npy("x.npy")/' sides.act > plain.act
"$ACTC" compile plain.act -o plain
ldd sides | grep -q libpng
! ldd plain | grep -qE 'libpng|libjpeg'
"$ACTC" compile sides.act -o sides.o
! nm -u sides.o | grep -qE 'png|jpeg|picture'
