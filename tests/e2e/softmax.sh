# softmax([3.2, 1.8, 0.5]) is [0.761, 0.188, 0.051], from the program and from `actc run`.
cat > probabilities.act <<'END'
model probabilities {
    input  logits : f32[3]
    output softmax(logits)
}
data three { test { logits = csv("three.csv") } }
train probabilities { data three }
END
printf 'a,b,c\n3.2,1.8,0.5\n' > three.csv
"$ACTC" probabilities.act -o probabilities
./probabilities predict > program.txt
"$ACTC" run probabilities.act -- predict > run.txt
printf '[0.761, 0.188, 0.051]\n' > expected.txt
cmp program.txt expected.txt
cmp run.txt expected.txt
