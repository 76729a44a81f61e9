# A probability is told from a logit by what its function can give: its accuracy is counted against one half, not against 0.
sed 's/accuracy(z, y)/accuracy(sigmoid(z), y)/; s|data/xor.csv|xor.csv|' "$SOURCE/examples/xor.act" > probability.act
cp "$SOURCE/examples/data/xor.csv" .
"$ACTC" run probability.act -- train --quiet
"$ACTC" run probability.act -- eval | tee score
grep -q 'accuracy 100.00 %' score
