#!/usr/bin/env python3
"""Draws spirals.csv and spirals-test.csv: two interleaved spirals of one and a half turns, with a little noise.

A point at the share t of its spiral lies at the angle 3 pi t, at the radius t, and is moved by a normal deviation of
0.02. The second spiral is the first turned by half a turn. The seeds are fixed: the same files every time.
"""
import math
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))


def draw(name, points, seed):
    generator = random.Random(seed)
    with open(os.path.join(HERE, name), "w") as file:
        file.write("x,y,spiral\n")
        for i in range(points):
            spiral = i % 2
            t = math.sqrt(generator.uniform(0.01, 1))  # as many points on every stretch of the spiral
            angle = 3 * math.pi * t + math.pi * spiral
            x = t * math.cos(angle) + generator.gauss(0, 0.02)
            y = t * math.sin(angle) + generator.gauss(0, 0.02)
            file.write("%.4f,%.4f,%d\n" % (x, y, spiral))


if __name__ == "__main__":
    draw("spirals.csv", 800, 1)
    draw("spirals-test.csv", 200, 2)
