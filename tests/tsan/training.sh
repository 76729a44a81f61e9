# Trains small models on two and three threads under the thread sanitizer, the compiled code included: its LLVM IR is instrumented before it
# becomes an object, so that a load that no barrier separates from another thread's store is seen, whether or not it ever goes wrong. Vectors
# of four, which is what the sanitizer knows. Wants
#   ACTC     the compiler                 OPT, LLC   LLVM's
#   RUNTIME  libactrt.a, instrumented     CC         the C compiler
#   SOURCE   the top of the sources
# and the models to train.
for file in "$@"; do
    name=$(basename "$file" .act)
    "$ACTC" "$file" -o model.ll --target x86_64-linux-gnu --cpu x86-64 --batch 24
    "$ACTC" "$file" -o model.h --target x86_64-linux-gnu --cpu x86-64 --batch 24
    sed -i '/^attributes .*"target-cpu"/s/nounwind/nounwind sanitize_thread/' model.ll
    grep -q sanitize_thread model.ll
    "$OPT" -passes='tsan-module,function(tsan)' model.ll -o model.bc
    "$LLC" -O1 -relocation-model=pic -filetype=obj model.bc -o model.o
    models=$(sed -n 's/^extern const ActModel \(.*\);/\&\1, /p' model.h)
    { echo '#include "model.h"'; echo "const ActModel *const models[] = {$models 0};"; } > models.c
    "$CC" -std=c11 -O1 -g -fsanitize=thread -I . -I "$SOURCE/runtime/include" models.c "$SOURCE/tests/tsan/memory.c" \
        "$SOURCE/tests/threads/train.c" model.o "$RUNTIME" -lcjson -lz -lpthread -lm -o "$name"
    ./"$name" 1 > one
    for threads in 2 3; do
        TSAN_OPTIONS="halt_on_error=1 exitcode=66" ./"$name" $threads > many
        cmp one many
    done
done
