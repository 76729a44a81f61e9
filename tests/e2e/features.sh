# Averages, clipping, weights of classes, labels that do not count: trainings that end in PyTorch's weights.
python3 -B "$SOURCE/tests/e2e/features/features.py" --actc "$ACTC"
