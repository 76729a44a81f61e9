# Pages of a run and of several: what stands on them, that a training that goes on goes on with its page, and that a browser (Chromium, where
# there is one) shows them without an error, on a narrow and on a wide screen.
python3 -B "$SOURCE/tests/e2e/pages/pages.py" "$ACTC" "$SOURCE"
