# actc sweep: every combination once, in parallel; failures are told, what is stopped goes on.
python3 -B "$SOURCE/tests/e2e/sweep/sweep.py" --actc "$ACTC"
