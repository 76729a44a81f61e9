# Ctrl-C and others finish the step, save, and say how to go on: what they say, typed into a shell, ends in the bytes of a run that nobody
# stopped. A compiled program and `actc run`, with two threads, in folders with blanks in their names.
python3 -B "$SOURCE/tests/e2e/resume/signals.py" --actc "$ACTC"
