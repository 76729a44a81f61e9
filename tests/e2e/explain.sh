# Everything that is listed has a page, in any terminal.
for kind in rules topics activations losses initializers layers optimizers schedules metrics functions blocks passes; do
    "$ACTC" list "$kind" > list
    [ -s list ]
    [ "$kind" != activations ] || sed -i 1d list # the table's head
    names=$(cut -d' ' -f1 list)
    LC_ALL=C.UTF-8 "$ACTC" explain $names > wide
    LC_ALL=C COLUMNS=60 "$ACTC" explain $names > narrow
    for name in $names; do
        grep -q "^$name " wide
    done
    if LC_ALL=C grep -q '[^ -~]' narrow; then
        echo "$kind: letters beyond ASCII in an ASCII terminal" >&2
        exit 1
    fi
done
for name in $("$ACTC" list targets | grep -o -e '--target [^ ]*' -e '--cpu [^ ]*' | cut -d' ' -f2) znver4 neoverse-v1; do
    "$ACTC" explain "$name" | grep -q lanes
done
"$ACTC" explain > index
for topic in $("$ACTC" list topics | cut -d' ' -f1); do
    grep -q "^$topic " index
done
