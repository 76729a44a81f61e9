/* Streams cut into sequences: how many rows, what stands in them, shifts, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/sequence.h"

#include <stdlib.h>
#include <string.h>

static ActError error;

/* A column of 0, 1, 2 … from a text, for a value of `width` elements. */
typedef struct Stream {
    ActTransform shift;
    ActField field;
    ActTensor tensor;
    ActColumn column;
} Stream;

static void stream(Stream *s, const char *name, uint32_t width, uint64_t length, const char *columns, double shift)
{
    memset(s, 0, sizeof *s);
    s->shift = (ActTransform){ACT_T_SHIFT, shift, 0, 0};
    s->field = (ActField){.name = name, .reader = "text", .columns = columns, .transform = &s->shift, .n_transform = shift != 0};
    s->tensor = (ActTensor){.name = name, .rank = 1, .dim = {width}};
    s->column = (ActColumn){.field = &s->field, .tensor = &s->tensor};
    s->column.path = malloc(8);
    strcpy(s->column.path, "a.txt");
    s->column.table.rows = length;
    s->column.table.width = 1;
    s->column.table.values = malloc(length * sizeof(float));
    for (uint64_t i = 0; i < length; i++) s->column.table.values[i] = (float)i;
}

/* the i-th number of the rows */
static float value_of(const Stream *s, uint64_t i)
{
    const ActTable *table = &s->column.table;
    float x;
    memcpy(&x, table->source.at + table->start + (i / table->width * table->stride + i % table->width) * 4, 4);
    return x;
}

static void release(Stream *s)
{
    act_column_free(&s->column);
}

/* Cuts the two together. */
static ActStatus cut(Stream *a, Stream *b)
{
    ActColumn both[2] = {a->column, b->column};
    ActStatus status = act_sequence_cut(both, 2, &error);
    a->column = both[0];
    b->column = both[1];
    return status;
}

static void rows_lie_one_behind_the_other(void **state)
{
    (void)state;
    Stream x, y;
    stream(&x, "x", 4, 14, "", 0);
    stream(&y, "y", 4, 14, "", 1);
    assert_true(act_sequence_is(&x.column, 1));
    assert_int_equal(cut(&x, &y), ACT_OK);
    /* five elements are needed from the first of a row on: 0 to 4, 4 to 8, 8 to 12 */
    assert_int_equal(x.column.table.rows, 3);
    assert_int_equal(y.column.table.rows, 3);
    assert_int_equal(x.column.table.width, 4);
    for (unsigned i = 0; i < 12; i++) {
        assert_true(value_of(&x, i) == (float)i);
        assert_true(value_of(&y, i) == (float)i + 1);
    }
    release(&x);
    release(&y);
}

static void a_stride_of_its_own(void **state)
{
    (void)state;
    Stream x, y;
    stream(&x, "x", 3, 10, "stride=2", 0);
    stream(&y, "y", 1, 10, "stride=2", -1); /* what stood before */
    assert_int_equal(cut(&x, &y), ACT_OK);
    assert_int_equal(x.column.table.rows, 4); /* four elements each, two apart: 0 … 3, 2 … 5, 4 … 7, 6 … 9 */
    for (unsigned i = 0; i < 4; i++) {
        assert_true(value_of(&y, i) == (float)(2 * i));
        for (unsigned k = 0; k < 3; k++) assert_true(value_of(&x, 3 * i + k) == (float)(2 * i + 1 + k));
    }
    release(&x);
    release(&y);
}

static void just_long_enough(void **state)
{
    (void)state;
    Stream x, y;
    stream(&x, "x", 4, 5, "", 0);
    stream(&y, "y", 4, 5, "", 1);
    assert_int_equal(cut(&x, &y), ACT_OK);
    assert_int_equal(x.column.table.rows, 1);
    release(&x);
    release(&y);
    stream(&x, "x", 4, 4, "", 0);
    stream(&y, "y", 4, 4, "", 1);
    assert_int_equal(cut(&x, &y), ACT_E_DATA);
    assert_non_null(strstr(error.text, "has 4 characters, and one sequence takes 5"));
    release(&x);
    release(&y);
}

static void streams_stay_among_themselves(void **state)
{
    (void)state;
    Stream x, y;
    stream(&x, "x", 4, 9, "", 0);
    stream(&y, "y", 1, 9, "", 0);
    y.field.reader = "csv";
    assert_false(act_sequence_is(&y.column, 1));
    assert_int_equal(cut(&x, &y), ACT_E_DATA);
    assert_non_null(strstr(error.text, "`x` is cut from a text, and `y` is not"));
    release(&x);
    release(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_lie_one_behind_the_other),
        cmocka_unit_test(a_stride_of_its_own),
        cmocka_unit_test(just_long_enough),
        cmocka_unit_test(streams_stay_among_themselves),
    };
    return cmocka_run_group_tests_name("runtime.sequence", tests, NULL, NULL);
}
