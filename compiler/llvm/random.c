/* Philox4x32-10 as runtime/core/random.h defines it: the number of (seed, stream, step, sample, element) is word
 * `element % 4` of the block with counter {element / 4, sample, step, stream ^ (step >> 32 << 16)}.
 *
 * Two neighbouring 32-bit words stand in one 64-bit lane's neighbourhood: x holds c0, c2 and y holds c1, c3 of a block
 * in two lanes of 64 bits (the upper halves do not matter), so that one multiplication of 32-bit halves makes both
 * products of a round. */
#include "llvm/kernel.h"

enum { PHILOX_ROUNDS = 10 };
static const uint32_t philox_multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t philox_weyl[2] = {0x9E3779B9u, 0xBB67AE85u};

/* A vector of i64 with a in the even lanes and b in the odd ones. */
static LLVMValueRef alternate(Cg *c, LLVMValueRef a, LLVMValueRef b, unsigned lanes)
{
    LLVMValueRef pair = LLVMGetPoison(cg_vec(c->i64, 2));
    pair = cg_set_lane(c, cg_set_lane(c, pair, a, 0), b, 1);
    int from[64];
    for (unsigned i = 0; i < lanes; i++)
        from[i] = (int)(i & 1);
    return cg_shuffle(c, pair, from, lanes);
}

/* Key and step are the same for the whole call. */
static void load_seed(Kernel *k)
{
    Cg *c = k->c;
    if (k->philox_key[0])
        return;
    LLVMBasicBlockRef here = kernel_to_entry(k);
    LLVMValueRef low = cg_i64(c, 0xffffffff), seed = cg_call_load(c, k->call, CALL_SEED);
    LLVMValueRef step = cg_call_load(c, k->call, CALL_STEP);
    k->philox_first = cg_call_load(c, k->call, CALL_FIRST);
    k->philox_key[0] = cg_and(c, seed, low);
    k->philox_key[1] = cg_lshr(c, seed, 32);
    k->philox_step[0] = cg_and(c, step, low);
    k->philox_step[1] = cg_and(c, cg_shl(c, cg_lshr(c, step, 32), 16), low);
    kernel_back(k, here);
}

/* x: c0, c2 alternating, y: c1, c3 alternating; `lanes` 64-bit lanes, half as many blocks. Gives the words as 2 * lanes
 * of i32, in order. */
static LLVMValueRef rounds(Kernel *k, LLVMValueRef x, LLVMValueRef y, unsigned lanes)
{
    Cg *c = k->c;
    LLVMTypeRef type = cg_vec(c->i64, lanes);
    LLVMValueRef low = cg_int(type, 0xffffffff);
    LLVMValueRef multiplier = alternate(c, cg_i64(c, philox_multiplier[0]), cg_i64(c, philox_multiplier[1]), lanes);
    int swap[64];
    for (unsigned i = 0; i < lanes; i++)
        swap[i] = (int)(i ^ 1);
    for (uint32_t round = 0; round < PHILOX_ROUNDS; round++) {
        LLVMBasicBlockRef here = kernel_to_entry(k);
        LLVMValueRef key[2];
        for (unsigned i = 0; i < 2; i++)
            key[i] = cg_add(c, k->philox_key[i], cg_i64(c, (uint32_t)(round * philox_weyl[i])));
        LLVMValueRef keys = alternate(c, key[0], key[1], lanes);
        kernel_back(k, here);
        LLVMValueRef product = cg_mul(c, cg_and(c, x, low), multiplier);
        product = cg_shuffle(c, product, swap, lanes); /* c0 takes the product of c2, and c2 that of c0 */
        x = cg_xor(c, cg_xor(c, cg_lshr(c, product, 32), y), keys);
        y = product;
    }
    LLVMValueRef words = cg_or(c, cg_and(c, x, low), cg_shl(c, y, 32));
    return cg_bitcast(c, words, cg_vec(c->i32, 2 * lanes));
}

/* The lanes' elements are neighbours and the first is a multiple of 4: each block serves four lanes. */
static LLVMValueRef words_in_a_row(Kernel *k, const LoopArg *arg, LLVMValueRef last_word)
{
    Cg *c = k->c;
    unsigned lanes = c->lanes / 2;
    LLVMValueRef low = cg_i64(c, 0xffffffff);
    LLVMValueRef block = cg_lshr(c, kernel_affine(k, &arg->at2), 2),
                 sample = cg_and(c, cg_add(c, kernel_affine(k, &arg->at), k->philox_first), low);
    LLVMValueRef ahead[16];
    for (unsigned i = 0; i < lanes; i++)
        ahead[i] = cg_i64(c, i % 2 ? 0 : i / 2);
    LLVMValueRef x = cg_add(c, alternate(c, block, k->philox_step[0], lanes), LLVMConstVector(ahead, lanes));
    LLVMValueRef y = alternate(c, sample, last_word, lanes);
    return rounds(k, x, y, lanes);
}

/* One value a lane in the even, one for all in the odd 64-bit lanes. */
static LLVMValueRef interleave(Cg *c, LLVMValueRef each, LLVMValueRef all, unsigned lanes)
{
    LLVMValueRef odd[64], twice = cg_splat(c, each, 2);
    int from[64];
    for (unsigned i = 0; i < 2 * lanes; i++) {
        from[i] = (int)i / 2;
        odd[i] = LLVMConstInt(c->i1, i & 1, false);
    }
    if (lanes > 1)
        twice = cg_shuffle(c, each, from, 2 * lanes);
    return cg_select(c, LLVMConstVector(odd, 2 * lanes), cg_splat(c, all, 2 * lanes), twice);
}

/* One block a lane, of which one word counts. */
static LLVMValueRef words_apart(Kernel *k, const LoopArg *arg, LLVMValueRef last_word, unsigned lanes)
{
    Cg *c = k->c;
    LLVMTypeRef type = cg_vec(c->i64, lanes);
    LLVMValueRef element = cg_splat(c, kernel_affine(k, &arg->at2), lanes);
    LLVMValueRef sample = cg_splat(c, cg_add(c, kernel_affine(k, &arg->at), k->philox_first), lanes);
    if (lanes > 1) {
        element = cg_add(c, element, cg_iota(type, kernel_lane_step(k, &arg->at2)));
        sample = cg_add(c, sample, cg_iota(type, kernel_lane_step(k, &arg->at)));
    }
    LLVMValueRef x = interleave(c, cg_lshr(c, element, 2), k->philox_step[0], lanes);
    LLVMValueRef y = interleave(c, cg_and(c, sample, cg_int(type, 0xffffffff)), last_word, lanes);
    LLVMValueRef words = rounds(k, x, y, 2 * lanes), word = NULL;
    LLVMValueRef which = cg_and(c, element, cg_int(type, 3));
    for (unsigned w = 0; w < 4; w++) {
        int from[32];
        for (unsigned i = 0; i < lanes; i++)
            from[i] = (int)(4 * i + w);
        LLVMValueRef these = lanes > 1 ? cg_shuffle(c, words, from, lanes) : cg_lane(c, words, w);
        word = w ? cg_select(c, cg_icmp(c, LLVMIntEQ, which, cg_int(type, w)), these, word) : these;
    }
    return word;
}

LLVMValueRef kernel_random(Kernel *k, const LoopArg *arg)
{
    Cg *c = k->c;
    load_seed(k);
    LLVMBasicBlockRef here = kernel_to_entry(k);
    LLVMValueRef last_word = cg_xor(c, k->philox_step[1], kernel_number(k, SHARE_STREAM, arg->index, arg->index));
    kernel_back(k, here);
    int64_t sample_step = kernel_lane_step(k, &arg->at), element_step = kernel_lane_step(k, &arg->at2);
    LLVMValueRef word;
    if (sample_step == 0 && element_step == 0)
        word = words_apart(k, arg, last_word, 1);
    else if (sample_step == 0 && element_step == 1 && kernel_is_multiple(k, &arg->at2, 4))
        word = words_in_a_row(k, arg, last_word);
    else
        word = words_apart(k, arg, last_word, c->lanes);
    LLVMValueRef unit = cg_cast(c, LLVMSIToFP, cg_lshr(c, word, 8), c->f32);
    return cg_fmul(c, unit, cg_num(cg_type(unit), 0x1p-24));
}
