# The numbers of a training in three formats: they agree, a training that goes on has every epoch once, and wrong names are told.
python3 -B "$SOURCE/tests/e2e/logs/logs.py" "$ACTC"
