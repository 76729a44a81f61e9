# An executable is a training program; `actc run` is the same one.
cp "$SOURCE/tests/e2e/xor.act" xor.act
cat >> xor.act <<'END'
data table {
    train { x = csv("xor.csv", columns = 1..2)
            y = csv("xor.csv", columns = 3) }
}
END
sed -i 's/^    epochs .*/    data      table\n&/' xor.act
printf 'a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n' > xor.csv
"$ACTC" xor.act -o xor
rm -rf out_program out_run && mkdir out_program out_run
./xor --help > /dev/null
./xor train --threads 1 --out out_program > program.log
"$ACTC" run xor.act -- --threads 1 --out out_run > run.log
# The same weights to the last bit.
cmp out_program/xor.safetensors out_run/xor.safetensors
./xor predict --out out_program --part train
