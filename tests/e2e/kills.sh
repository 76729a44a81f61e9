# Killed at any moment: the same bytes in the end. By hand, or with `ctest -L slow`, two hundred times.
python3 -B "$SOURCE/tests/e2e/resume/resume.py" --actc "$ACTC" kills --kills 20
