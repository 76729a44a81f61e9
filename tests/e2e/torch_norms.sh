# Batch norm's running statistics: read from a file of PyTorch's (its count of batches is a 64-bit integer), used in inference, and
# written back under the same names.
fixture="$SOURCE/tests/fixtures/torch"
cat > norms.act <<'END'
model norms {
    input  x : f32[3]
    target y : f32[2]
    z = x |> linear(5) |> batch_norm |> relu |> linear(2)
    loss   mse(z, y)
    output z
}
data rows {
    train { x = csv("rows.csv", columns = 1..3)
            y = csv("rows.csv", columns = 1..2) }
}
train norms { data rows; epochs 1; batch 8; optimizer sgd(lr = 0.1) }
END
awk 'BEGIN { print "a,b,c"; for (r = 0; r < 8; r++) print ((7 * r) % 11 - 5) / 4 "," ((7 * r + 3) % 11 - 5) / 4 "," ((7 * r + 6) % 11 - 5) / 4 }' > rows.csv
"$ACTC" norms.act -o norms
./norms predict --weights "$fixture/norms.safetensors" --part train --format csv > predicted.csv
cat predicted.csv
# within a unit in the fifth place
awk 'FNR == NR { want[NR, 1] = $1; want[NR, 2] = $2; next }
     FNR > 1 { n++; for (i = 1; i <= 2; i++) { split($0, got, ","); d = got[i] - want[FNR - 1, i]; if (d > 2e-5 || d < -2e-5) exit 1 } }
     END { exit n != 8 }' "$fixture/norms.txt" predicted.csv
# A step moves the statistics and counts itself; an evaluation moves nothing.
mkdir -p out
./norms train --threads 1 --weights "$fixture/norms.safetensors" --out out > /dev/null
cp out/norms.safetensors before.safetensors
./norms eval --out out --part train > /dev/null
cmp before.safetensors out/norms.safetensors
grep -a -o '"batch_norm1.num_batches_tracked":{"dtype":"F32","shape":\[\]' out/norms.safetensors > /dev/null
# The report counts them apart: 5 means, 5 variances, a count.
"$ACTC" report norms.act | grep '11 running statistics'
"$ACTC" report norms.act | grep 'total .* 42 '
