# What the checker predicts is what compiled networks do: gradient ratios and dead units over thirty seeds.
python3 -B "$SOURCE/tests/e2e/predictions/predictions.py" --actc "$ACTC" --runtime "$RUNTIME" --include "$INCLUDE" --cc "$CC" --seeds 30
