/* Every hard error at its place, and beside each a text that is nearly the same and right. */
#include "sema/harness.h"

#include "sema/codes.h"

#define IMAGE "model m {\n input image : f32[28, 28, 1]\n target label : class(10)\n"
#define ROWS  "model m {\n input x : f32[8]\n target y : f32[4]\n"

static const char *const wrong[] = {
    /* 101 */
    ROWS " a = «ACT101|x + y»\n output x\n}\n",
    ROWS " h : «ACT101|f32[5]» = x |> linear(4)\n output x\n}\n",
    ROWS " share p = linear(4)\n a = x |> p\n b = a |> «ACT101|p»\n output b\n}\n",
    ROWS " a, b, c = x |> «ACT101|split(3)»\n output x\n}\n",
    ROWS " s = x |> sum\n a = s |> «ACT101|linear(3)»\n output x\n}\n",
    ROWS " a = x |> linear(4) as fc1\n b = a |> linear(8, weight = «ACT101|fc1.weight»)\n output b\n}\n",
    ROWS " a = x |> linear(4) as l\n b = a |> linear(8, weight = «ACT101|l.weight |> sum(axis = 0)»)\n output b\n}\n",
    ROWS " a = x |> linear(4)\n b = a |> linear(8, weight = «ACT1209|x * 2»)\n output b\n}\n",
    /* 102 */
    IMAGE " z = image |> «ACT102|linear(32)» |> relu |> linear(10)\n loss cross_entropy(z, label)\n}\n",
    /* 103 */
    IMAGE " a = image |> «ACT103|reshape(7, 7, 64)»\n output a\n}\n",
    IMAGE " a = image |> «ACT103|reshape(10, -1)»\n output a\n}\n",
    /* 104 */
    ROWS " a = «ACT104|x + (x |> linear(4) |> relu |> linear(5))»\n output x\n}\n",
    ROWS " a = «ACT104|(x |> linear(6) |> reshape(2, 3)) + x»\n output x\n}\n",
    /* 105 */
    ROWS " a = «ACT105|concat(x, x |> reshape(2, 4))»\n output a\n}\n",
    ROWS " a = x |> group_norm(«ACT505|3»)\n output a\n}\n",
    ROWS " a = x |> reshape(2, 4) |> «ACT803|attention(3)»\n output a\n}\n",
    "model m {\n input w : token(9)[3]\n a = w |> embedding(4, classes = «ACT808|8»)\n output a\n}\n",
    /* 106 */
    "model m {\n input x : f32[8]\n target y : f32\n loss «ACT106|mse(x |> linear(1), y)»\n}\n",
    ROWS " loss «ACT106|mse(x |> linear(3), y)»\n}\n",
    "model m {\n input x : f32[8]\n target y : f32\n z = x |> linear(1)\n loss mean((«ACT106|z - y»)^2)\n}\n",
    "model m {\n input x : f32[8]\n target k : class(3)[5]\n loss «ACT106|cross_entropy(x |> linear(3), k)»\n}\n",
    /* an output has a row for every sample, and needs no target */
    ROWS " z = x |> linear(4) as fc\n loss mse(z, y)\n output «ACT1211|fc.weight»\n}\n",
    ROWS " loss mse(x |> linear(4), «ACT1211|linear»)\n}\n",
    ROWS " loss mse(x |> linear(4), «ACT1211|relu»)\n}\n",
    ROWS " loss mse(x |> linear(4), «ACT1211|[1, 2, 3, 4]»)\n}\n",
    ROWS " loss huber(x |> linear(4), y, delta = «ACT1211|tanh»)\n}\n",
    ROWS " output five = «ACT1211|5»\n}\n",
    ROWS " output «ACT1209|(x |> linear(4)) - y»\n}\n",
    "model m {\n input t : token(5)[3]\n output «ACT1211|t»\n}\n",
    ROWS " z = x |> linear(4) as fc\n loss mse(z, y)\n metric mse(«ACT1211|fc.bias», y)\n}\n",
    "model «ACT1217|m» {\n input x : f32[3]\n z = x |> linear(2) as fc\n loss sum(fc.weight^2)\n}\n",
    /* options that leave the numbers, or mean nothing */
    IMAGE " loss cross_entropy(image |> flatten |> linear(10), label, label_smoothing = «ACT1209|1»)\n}\n",
    ROWS " loss huber(x |> linear(4), y, delta = «ACT1209|0»)\n}\n",
    ROWS " loss mse(x |> linear(4), y, weight = [1, «ACT1209|-2», 3, 4])\n}\n",
    ROWS " loss mse(x |> linear(4), y)\n}\ntrain m { schedule «ACT1209|step(every = 0)» }\n",
    ROWS " loss mse(x |> linear(4), y)\n}\ntrain m { optimizer «ACT1209|adam(beta1 = 1)» }\n",
    /* columns of a table */
    ROWS " loss mse(x |> linear(4), y)\n}\ndata d { train {\n x = csv(\"a.csv\", columns = «ACT1209|0..7»)\n"
         " y = csv(\"a.csv\", columns = «ACT1209|12..9») } }\ntrain m { data d }\n",
    ROWS " loss mse(x |> linear(4), y)\n}\ndata d { train {\n x = csv(\"a.csv\", columns = «ACT101|1..7»)\n"
         " y = csv(\"a.csv\", columns = [9, 10, 11, «ACT1209|1.5»]) } }\ntrain m { data d }\n",
    ROWS " loss mse(x |> linear(4), y)\n}\ndata d { train {\n x = csv(\"a.csv\", columns = 1..8)\n"
         " y = npy(\"a.npy\", «ACT1206|columns» = 1..4) } }\ntrain m { data d }\n",
    /* 1204 */
    "param «ACT1204|a» = b\nparam b = a\n",
    "activation «ACT1204|f»(x) = f(x) + 1\n",
    "block «ACT1204|f»(x) { x |> g }\nblock g(x) { x |> linear(3) |> f }\n",
    ROWS " «ACT1204|a» = b |> relu\n b = a |> relu\n output x\n}\n",
    "model m {\n input x : f32[8]\n block «ACT1204|f»(z) { z |> f }\n output x |> f\n}\n",
    /* 1205 */
    "param a = 1\nparam «ACT1205|a» = 2\n",
    "activation f(x) = x\nblock «ACT1205|f»(x) { x }\n",
    ROWS " a = x\n «ACT1205|a» = x |> relu\n output a\n}\n",
    ROWS " a = x |> linear(3) as l |> linear(3) as «ACT1205|l»\n output a\n}\n",
    ROWS " output x\n «ACT1205|output x»\n}\n",
    ROWS " output x |> linear(3, «ACT1205|features» = 4)\n}\n",
    /* 1206 */
    ROWS " a = «ACT1206|xx» |> relu\n output x\n}\n",
    ROWS " a = x |> reshape(8, 1) |> «ACT701|conv1d(2, 9)»\n output a\n}\n",
    ROWS " a = x |> «ACT1206|images»\n output x\n}\n",
    ROWS " a = x |> «ACT1206|reluu»\n output x\n}\n",
    ROWS " a = x |> linear(3, «ACT1206|bais» = false)\n output x\n}\n",
    ROWS " a = x |> linear(3, weight = «ACT1206|kaiming»)\n output x\n}\n",
    ROWS " a = x |> linear(3, weight = kaiming_normal(«ACT1206|gian» = 2))\n output x\n}\n",
    ROWS " a = x |> linear(3, weight = kaiming_normal(mode = «ACT1206|fan_inn»))\n output x\n}\n",
    ROWS " a = x |> leaky_relu(«ACT1206|slop» = 0.1)\n output x\n}\n",
    ROWS " a = x.«ACT1206|feature»\n output x\n}\n",
    ROWS " loss mse(x |> linear(4), y, reduction = «ACT1206|summ»)\n}\n",
    ROWS " metric «ACT1206|acc»(x, y)\n output x\n}\n",
    "model m {\n input x : «ACT1206|f16»[8]\n output x\n}\n",
    ROWS " output x |> linear(3) as a\n loss sum(«ACT1206|a.wieght»^2)\n}\n",
    "train «ACT1206|nobody» { epochs 1 }\n",
    ROWS " output x\n}\ntrain m { «ACT1206|epoch» 3 }\n",
    ROWS " output x\n}\ntrain m { optimizer «ACT1206|adma»(lr = 1) }\n",
    ROWS " output x\n}\ntrain m { optimizer adam(«ACT1206|beta» = 1) }\n",
    ROWS " output x\n}\ntrain m { schedule «ACT1206|cosin» }\n",
    ROWS " output x\n}\ntrain m { checkpoint every 1 «ACT1206|epoc» }\n",
    ROWS " output x\n}\ntrain m { data «ACT1206|nothing» }\n",
    ROWS " output x\n}\ntrain m { stop early(«ACT1206|patients» = 1) }\n",
    "data d { train { x = «ACT1206|cvs»(\"a.csv\") } }\n",
    "data d { train { x = csv(\"a.csv\", «ACT1206|colums» = 1..4) } }\n",
    "data d { train { x = csv(\"a.csv\") |> «ACT1206|normalise» } }\n",
    "data d { «ACT1206|validatoin» = split(0.1)\n train { x = csv(\"a.csv\") } }\n",
    ROWS " output x\n loss mse(x |> linear(4), y)\n}\ndata d { train { x = csv(\"a\")\n «ACT1206|yy» = csv(\"b\") } }\n"
         "train m { data d }\n",
    "activation f(x) = x * «ACT1206|halve»(x)\n",
    "optimizer o(w, g, lr = 1) { w = w - «ACT1206|rl» * g }\n",
    /* … in definitions nobody uses */
    "block unused(x, n, f) { h = x |> linear(n, «ACT1206|bais» = false) |> f\n h + «ACT1206|hh» }\n",
    ROWS " block unused(z) { z |> «ACT1206|reluu» }\n output x\n}\n",
    "initializer unused(fan_in, a) = normal(0, «ACT1206|fan_inn» * a)\n",
    "schedule unused(now, total) = now / «ACT1206|totall»\n",
    /* 1209 */
    ROWS " a = x |> relu(«ACT1209|0.2»)\n output x\n}\n",
    ROWS " a = x |> linear(«ACT1209|0»)\n output x\n}\n",
    ROWS " a = x |> linear(3, weight = «ACT1209|0.1»)\n output x\n}\n",
    ROWS " a = x |> dropout(«ACT1209|1»)\n output x\n}\n",
    ROWS " a = x |> linear(3, bias = false, trainable = «ACT1209|1»)\n output x\n}\n",
    ROWS " a = x |> softmax(axis = «ACT1209|2»)\n output x\n}\n",
    ROWS " metric mse(«ACT1209|y», x)\n output x\n}\n",
    "block b(x) { x }\nmodel m {\n input x : f32[8]\n output x |> b(«ACT1209|3»)\n}\n",
    "data d { validation = «ACT1209|split(1.5)»\n train { x = csv(\"a\") } }\n",
    "loss whole(p, y) = sum(p * y)\n" ROWS " loss whole(x |> linear(4), y, «ACT1209|reduction» = sum)\n}\n",
    ROWS " output x |> linear(3, weight = «ACT1209|normal(0, -1)»)\n}\n",
    /* 1210 */
    ROWS " a = x |> «ACT1210|linear»\n output x\n}\n",
    "block b(x, width) { x |> linear(width) }\nmodel m {\n input x : f32[8]\n output x |> «ACT1210|b»\n}\n",
    ROWS " loss «ACT1210|mse(x)»\n}\n",
    "model m {\n input x : f32[8]\n target y : «ACT1210|class»\n output x\n}\n",
    ROWS " loss mse(x |> linear(4), y)\n}\ndata d { «ACT1210|train» { x = csv(\"a\") } }\ntrain m { data d }\n",
    ROWS " a = «ACT1210|parameter([3])»\n output x\n}\n",
    /* 1211 */
    ROWS " a = «ACT1211|relu» + 1\n output x\n}\n",
    ROWS " a = «ACT1211|relu» |> linear(3)\n output x\n}\n",
    ROWS " a = 1 + «ACT1211|[1, 2]»\n output x\n}\n",
    ROWS " a = x |> «ACT1211|x»\n output x\n}\n",
    ROWS " share a = «ACT1211|x»\n output x\n}\n",
    ROWS " output «ACT1211|x |> split(2)»\n}\n",
    "activation f(x) = x / «ACT1211|sum(x)»\n",
    /* 1212 */
    "activation f(x) = x + 1\nblock b(x, f) { x |> «ACT1212|f» }\nmodel m {\n input x : f32[8]\n output x |> "
    "b(relu)\n}\n",
    /* 1213 */
    ROWS " «ACT1213|a, b, c» = x |> split(2)\n output x\n}\n",
    ROWS " a = «ACT1213|x |> split(2)»\n output x\n}\n",
    /* 1214 */
    "«ACT1214|import \"no_such_file.act\"»\n",
    /* 1215 */
    "param width = 10\n" ROWS " a = x |> linear(«ACT1215|width / 4»)\n output x\n}\n",
    ROWS " a = x |> linear(«ACT1215|x.features / 3»)\n output x\n}\n",
    ROWS " a = x |> linear(«ACT1215|8 / 0»)\n output x\n}\n",
    "model m {\n input x : f32[«ACT1215|0.5»]\n output x\n}\n",
    ROWS " output x\n}\ntrain m { batch «ACT1215|1.5» }\n",
    /* 1216 */
    ROWS " a = x |> repeat(«ACT1216|1000000», linear(8))\n output x\n}\n",
    ROWS " a = x |> «ACT1216|linear(2000000000)»\n output x\n}\n",
    "model m {\n input x : f32«ACT1216|[100000, 100000]»\n output x\n}\n",
    /* 1217 */
    "model «ACT1217|m» {\n input x : f32[8]\n}\n",
    /* 1218 */
    "model m {\n input n : f32[3] = «ACT1218|truncated_normal(0, 1)»\n output n\n}\n",
    /* 1219 */
    "model m {\n input x : f32[8] in [0, 1]\n output x\n}\n"
    "data d { train { «ACT1219|x = idx(\"train-ubyte.gz\")» } }\ntrain m { data d }\n",
    /* 1220 */
    ROWS " loss «ACT1220|x»\n}\n",
    ROWS " loss «ACT1220|((x |> linear(4)) - y)^2»\n}\n",
};

static const char *const right[] = {
    ROWS " a = x + (x |> linear(8))\n output a\n}\n",
    ROWS " h : f32[4] = x |> linear(4)\n output h\n}\n",
    ROWS " share p = linear(8)\n output x |> p |> p\n}\n",
    ROWS " a, b = x |> split(2)\n output a + b\n}\n",
    ROWS " a = x |> linear(4) as fc1\n b = x |> linear(4, weight = fc1.weight)\n output a + b\n}\n",
    IMAGE " z = image |> flatten |> linear(32) |> relu |> linear(10)\n loss cross_entropy(z, label)\n}\n",
    "model m {\n input x : f32[5, 8]\n target k : class(3)[5]\n loss cross_entropy(x |> linear(3), k)\n}\n",
    IMAGE " a = image |> reshape(7, -1, 4)\n output a\n}\n",
    ROWS " a = concat(x, y |> stop_gradient)\n loss mean(a)\n}\n",
    "model m {\n input x : f32[8]\n target y : f32[1]\n loss mse(x |> linear(1), y)\n}\n",
    "model m {\n input x : f32[8]\n target y : binary\n loss bce_with_logits(x |> linear(1), y)\n}\n",
    IMAGE " loss mse(image |> flatten |> linear(10) |> softmax, label)\n}\n",
    "param a = b + 1\nparam b = 2\nmodel m {\n input x : f32[8]\n output x |> linear(a)\n}\n",
    "activation tanh(x) = 2 * sigmoid(2 * x) - 1\nmodel m {\n input x : f32[8]\n output x |> tanh\n}\n",
    ROWS " mean = x |> mean\n max = x |> max(0)\n output max + mean\n}\n",
    ROWS " output b\n b = a |> relu\n a = x |> linear(3)\n}\n",
    ROWS " output x |> linear(x.features / 4)\n}\n",
    ROWS " output x |> linear(3, bias = false, trainable = false)\n}\n",
    "model m {\n input x : f32[8] in [0, 1]\n output x\n}\n"
    "data d { train { x = idx(\"train-ubyte.gz\") / 255 } }\ntrain m { data d }\n",
    "data d { train { x = csv(\"a.csv\", columns = 1..4) |> normalize }\n validation = split(0.1) }\n",
    "loss whole(p, y) = 1 - 2 * sum(p * y) / (sum(p) + sum(y))\n" ROWS " loss whole(x |> linear(4), y)\n}\n",
    "function twice(x, f) = f(f(x))\nmodel m {\n input x : f32[8]\n output x |> twice(relu)\n}\n",
    "block residual(x, f) { x + (x |> f) }\nmodel m {\n input x : f32[8]\n"
    " output x |> residual(residual(linear(8)))\n}\n",
};

static void planted_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_planted(wrong[i]);
}

static void near_misses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        expect_planted(right[i]);
}

static void ten_errors_in_one_file(void **state)
{
    (void)state;
    expect_planted("param width = 10 / 4\n"
                   "param «ACT1204|one» = two\nparam two = one\n"
                   "activation bad(x) = x + «ACT1206|nothing_here»\n"
                   "model first {\n input x : f32[8]\n target y : f32\n"
                   " a = «ACT1206|unknown_value» |> relu |> linear(3)\n"
                   " b = x |> linear(«ACT1215|width») |> relu\n"
                   " c = x |> «ACT103|reshape(3, 3)» |> linear(4)\n"
                   " loss «ACT106|mse(x |> linear(1), y)»\n"
                   "}\n"
                   "model second {\n input x : f32[8]\n"
                   " d = «ACT104|x + (x |> linear(3))»\n"
                   " e = d |> bad |> linear(2)\n"
                   " output e + b2\n"
                   " b2 = x |> linear(2, «ACT1206|wieght» = zeros)\n"
                   "}\n"
                   "train second { «ACT1206|epoch» 3\n optimizer sgd(lr = 1, «ACT1206|momentun» = 0.9) }\n");
}

/* What was reported once makes everything that depends on it silent. */
static void poisoned_values_are_silent(void **state)
{
    (void)state;
    expect_planted("block b(x, n) { y = x |> linear(n)\n y + (y |> relu) }\n"
                   "model m {\n input x : f32[8]\n target y : f32[4]\n"
                   " a = «ACT1206|nobody» |> linear(3) |> softmax |> reshape(99)\n"
                   " c, d = a |> split(7)\n"
                   " e : f32[77] = c + d * 3 - x.features\n"
                   " f = e |> repeat(5, b(8)) |> b(3) as top\n"
                   " share s = linear(4)\n"
                   " loss mse(f |> s, y) + sum(f^2)\n"
                   " metric mae(f, y)\n"
                   " output softmax(f)\n"
                   "}\n"
                   "train m { optimizer adam for s }\n");
    expect_planted("activation bad(x) = «ACT1206|nobody»\n"
                   "model m {\n input x : f32[8]\n output x |> bad |> linear(3) |> bad\n}\n");
}

static void every_code_fires(void **state)
{
    (void)state;
    for (unsigned c = 0; c < SEMA_CODE_COUNT; c++) {
        const char *code = sema_code_at(c)->code;
        char mark[16];
        snprintf(mark, sizeof mark, "«%s|", code);
        bool fires = false;
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            fires = fires || strstr(wrong[i], mark);
        if (!fires)
            fprintf(stderr, "no text earns %s\n", code);
        assert_true(fires);
        assert_ptr_equal(sema_code_find(str_of(code)), sema_code_at(c));
        assert_ptr_equal(sema_code_find(str_of(sema_code_at(c)->name)), sema_code_at(c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_mistakes),       cmocka_unit_test(near_misses),
        cmocka_unit_test(ten_errors_in_one_file), cmocka_unit_test(poisoned_values_are_silent),
        cmocka_unit_test(every_code_fires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
