#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support.h"

#include "../../../runtime/host/runlog.h"

#include <math.h>

static const char good[] = "{\"event\":\"run\",\"step\":0,\"settings\":{\"model\":\"m\",\"batch\":\"8\"}}\n"
                           "{\"event\":\"layer\",\"epoch\":1,\"step\":1,\"layer\":\"a\",\"line\":3,\"gradient\":0.5,\"dead\":null}\n"
                           "{\"event\":\"of another version\",\"x\":[[]]}\n"
                           "{\"epoch\":1,\"step\":10,\"train\":{\"loss\":2},\"test\":{\"loss\":1.5,\"accuracy\":null}}\n"
                           "{\"event\":\"layer\",\"epoch\":2,\"step\":11,\"layer\":\"a\",\"gradient\":0.25}\n"
                           "{\"epoch\":2,\"step\":20,\"train\":{\"loss\":1},\"test\":{\"loss\":1.25,\"accuracy\":0.5}}\n";
static ActRunLog runs;
static ActError error;

static ActStatus parse(const char *text) { return act_runlog_parse(&runs, text, strlen(text), "r.jsonl", &error); }

static void lines_become_curves(void **state)
{
    (void)state;
    ActCurves curves;
    assert_good(parse(good), &error);
    assert_int_equal(runs.n, 5);
    assert_string_equal(act_runlog_setting(&runs, "batch"), "8");
    assert_null(act_runlog_setting(&runs, "seed"));
    assert_true(act_curves_scores(&curves, &runs));
    assert_int_equal(curves.n, 3);
    assert_string_equal(curves.at[1].part, "test");
    assert_true(curves.at[1].n == 2 && curves.at[1].x[1] == 2 && curves.at[1].y[1] == 1.25);
    assert_true(isnan(curves.at[2].y[0]) && curves.at[2].y[1] == 0.5);
    act_curves_free(&curves);
    assert_true(act_curves_layers(&curves, &runs, "layer", "gradient"));
    assert_true(curves.n == 1 && curves.at[0].n == 2 && curves.at[0].line == 3 && curves.at[0].x[1] == 11 && curves.at[0].y[1] == 0.25);
    act_curves_free(&curves);
    act_runlog_free(&runs);
}

static void tables_say_the_same(void **state)
{
    (void)state;
    ActCurves curves;
    assert_good(parse("epoch,step,seconds,rows_per_second,train_loss,test_loss,test_top_k\n1,10,0.5,100,2,nan,0.5\r\n2,20,1,100,1,1.25,inf\n3,30,1,1"), &error);
    assert_true(runs.unfinished && runs.n == 2);
    assert_true(act_curves_scores(&curves, &runs));
    assert_int_equal(curves.n, 3);
    assert_string_equal(curves.at[2].name, "top_k");
    assert_true(isnan(curves.at[1].y[0]) && curves.at[0].y[1] == 1);
    act_curves_free(&curves);
    act_runlog_free(&runs);
    assert_good(parse("epoch,step,event,train,train_loss\n1,10,3,4,2\n"), &error); /* columns of another version */
    assert_string_equal(act_runlog_event(runs.line[0]), "epoch");
    assert_true(act_curves_scores(&curves, &runs));
    assert_true(curves.n == 1 && curves.at[0].y[0] == 2);
    act_curves_free(&curves);
    act_runlog_free(&runs);
}

static void damage_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } bad[] = {
        { "{\"epoch\":1,\"step\":1}\n{\"epoch\":2,\"step\"\n", "r.jsonl:2:17: this is no line of a training's log: it is not JSON" },
        { "{\"epoch\":1,\"step\":1} {}\n", "r.jsonl:1:" },
        { "[1]\n", "r.jsonl:1:1: this is no line of a training's log: it is no JSON object" },
        { "\n", "r.jsonl:1:1: this is no line of a training's log: it is empty" },
        { "{\"name\":\"x\"}\n", "it has no \"epoch\"" },
        { "{\"epoch\":1,\"step\":-1}\n", "its \"step\" is not a count" },
        { "{\"epoch\":1,\"step\":1,\"test\":{\"loss\":\"x\"}}\n", "its \"test\" is not an object of numbers" },
        { "{\"epoch\":2,\"step\":1}\n{\"epoch\":1,\"step\":2}\n", "r.jsonl:2:1: this is no line of a training's log: epoch 1 stands behind epoch 2; are these two logs?" },
        { "{\"event\":7}\n", "its \"event\" is no text" },
        { "{\"event\":\"layer\",\"step\":1}\n", "it has no \"layer\"" },
        { "{\"event\":\"histogram\",\"step\":1,\"layer\":\"a\",\"what\":\"b\",\"low\":0,\"high\":1e999,\"counts\":[1]}\n", "its \"high\" is not a finite number" },
        { "{\"event\":\"histogram\",\"step\":1,\"layer\":\"a\",\"what\":\"b\",\"low\":0,\"high\":1,\"counts\":[-1]}\n", "its \"counts\" is not an array of counts" },
        { "epoch,loss\n", "r.jsonl:1:1: this is no line of a training's log: a table begins with `epoch,step`" },
        { "epoch,step,train_loss\n1,1,0.5\n2,2\n", "r.jsonl:3:1: this is no line of a training's log: it has 2 cells, the headline 3" },
        { "epoch,step,train_loss\n1,1,0.5x\n", "r.jsonl:2:5: this is no line of a training's log: a number is wanted here" },
        { "epoch,step,train_loss\n1,nan,0.5\n", "r.jsonl:2:3: this is no line of a training's log: a count is wanted here" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(bad[i].text), ACT_E_FORMAT);
        assert_has(error.text, bad[i].says);
        assert_true(runs.n == 0 && !runs.line);
    }
}

static void pages_carry_their_log(void **state)
{
    (void)state;
    Folder folder;
    folder_open(&folder);
    const char *path = folder_text(&folder, "a.html", "<!DOCTYPE html>\n<p>\n" ACT_RUNLOG_BEGIN "{\"epoch\":1,\"step\":1,\"train\":{\"\\u003cb>\":1}}\n" ACT_RUNLOG_END "</html>");
    assert_good(act_runlog_read(&runs, path, &error), &error);
    assert_int_equal(runs.n, 1);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(runs.line[0], "train"), "<b>"));
    act_runlog_free(&runs);
    path = folder_text(&folder, "b.html", "<!DOCTYPE html>\n<p>nothing");
    assert_int_equal(act_runlog_read(&runs, path, &error), ACT_E_FORMAT);
    assert_has(error.text, "b.html:1:1: this page has no log of a training inside");
    path = folder_text(&folder, "c.jsonl", "{\"epoch\":1");
    assert_int_equal(act_runlog_read(&runs, path, &error), ACT_E_DATA);
    assert_has(error.text, "c.jsonl:1:1: there is no line of a training's log in it but an unfinished one");
    folder_close(&folder);
}

static void runs_of_folders_have_short_names(void **state)
{
    (void)state;
    Folder folder;
    folder_open(&folder);
    mkdir(folder_file(&folder, "a"), 0777);
    mkdir(folder_file(&folder, "b"), 0777);
    folder_text(&folder, "a/run.jsonl", good);
    folder_text(&folder, "a/run.csv", "epoch,step,train_loss\n1,1,0.5\n"); /* the same run again */
    folder_text(&folder, "b/run.csv", "epoch,step,train_loss\n1,1,0.5\n");
    folder_text(&folder, "a/other.jsonl", "{\"event\":\"of another version\"}\n");
    folder_text(&folder, "b/iris.csv", "length,width\n1,2\n"); /* of something else */
    const char *page = folder_file(&folder, "out.html"), *const all[] = { folder.path };
    assert_good(act_plot(all, 1, page, &error), &error);
    assert_string_equal(error.text, "");
    char *text = read_all(page, NULL);
    assert_has(text, "<h1>2 runs</h1>");
    assert_has(text, "<td class=\"w\">a/run</td>");
    assert_has(text, "<td class=\"w\">b/run</td>");
    assert_has(text, "<th scope=\"col\">test accuracy</th>");
    free(text);
    const char *const foreign[] = { folder_file(&folder, "b/iris.csv") };
    assert_int_equal(act_plot(foreign, 1, page, &error), ACT_E_FORMAT);
    assert_has(error.text, "b/iris.csv:1:1: this is no line of a training's log");
    const char *const folds[] = { folder_text(&folder, "m.folds.jsonl", "{\"event\":\"fold\",\"fold\":1,\"rows\":40,\"loss\":0.5}\n{\"event\":\"mean\",\"loss\":0.25}\n") };
    assert_good(act_plot(folds, 1, page, &error), &error);
    text = read_all(page, NULL);
    assert_has(text, "loss: mean 0.25");
    assert_has(text, ">fold 1</text>");
    free(text);
    folder_text(&folder, "a/run.jsonl", "{\"epoch\":\n");
    assert_int_equal(act_plot(all, 1, page, &error), ACT_E_FORMAT);
    assert_has(error.text, "a/run.jsonl:1:");
    mkdir(folder_file(&folder, "c"), 0777);
    const char *const empty[] = { folder_file(&folder, "c") };
    assert_int_equal(act_plot(empty, 1, page, &error), ACT_E_DATA);
    assert_has(error.text, "there is no log of a training in or below");
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_curves),
        cmocka_unit_test(tables_say_the_same),
        cmocka_unit_test(damage_is_named_with_its_place),
        cmocka_unit_test(pages_carry_their_log),
        cmocka_unit_test(runs_of_folders_have_short_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
