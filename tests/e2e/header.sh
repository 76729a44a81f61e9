# The header is C and C++, without a warning, twice in one file.
"$ACTC" "$SOURCE/tests/e2e/xor.act" -o xor.h
test -f xor.h && test ! -f xor.o
printf '#include "xor.h"\n#include "xor.h"\nint main(void) { return (int)xor_model.abi - ACT_ABI_VERSION; }\n' > both.c
"$CC" -std=c11 -Wall -Wextra -pedantic -Werror -I "$INCLUDE" -I . -fsyntax-only both.c
if command -v c++ > /dev/null; then
    cp both.c both.cpp
    c++ -std=c++11 -Wall -Wextra -pedantic -Werror -I "$INCLUDE" -I . -fsyntax-only both.cpp
fi
