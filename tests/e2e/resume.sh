# A training that goes on from a checkpoint, of any step and with any number of threads, ends in the bytes of one that never stopped.
python3 -B "$SOURCE/tests/e2e/resume/resume.py" --actc "$ACTC" steps
