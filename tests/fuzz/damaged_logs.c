/* Throws damaged logs of trainings at `actc plot`: damaged_logs --count 10000 --seed 1
 *                                                  damaged_logs --only N --seed 1
 *
 * JSON lines with every event there is, a table, a page. Whatever comes out is held against what must always be true: a file that is
 * refused is named with line and column; of one that is taken a whole page is drawn, in which no number is none and no text of the log is
 * markup. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "act/act.h"

#include "damage.h"

enum { SECONDS = 10, KINDS = 3 };

static char mutant[KINDS][96], good[96], drawn[96];

static void put(Bytes *b, const char *text)
{
    size_t n = strlen(text);
    if (b->n + n > LARGEST) die("too small", "LARGEST");
    memcpy(b->at + b->n, text, n);
    b->n += n;
}

static void make_lines(Bytes *b)
{
    char line[600];
    put(b, "{\"event\":\"run\",\"step\":0,\"settings\":{\"model\":\"m\",\"batch\":\"8\",\"epochs\":\"3\",\"optimizer\":\"sgd(lr = 0.1)\"}}\n");
    for (int l = 1; l <= 3; l++) {
        snprintf(line, sizeof line, "{\"event\":\"forecast\",\"layer\":\"linear%d\",\"line\":%d,\"deviation\":1.5,\"gradient\":0.%d,\"dead\":0.02}\n", l, l + 4, l);
        put(b, line);
    }
    for (int e = 1; e <= 3; e++) {
        for (int l = 1; l <= 3; l++) {
            snprintf(line, sizeof line, "{\"event\":\"layer\",\"epoch\":%d,\"step\":%d,\"layer\":\"linear%d\",\"line\":%d,\"mean\":0.1,\"deviation\":1.25,\"zeros\":0.5,"
                     "\"dead\":0.125,\"saturated\":0.25,\"gradient\":0.00%d,\"update\":1e-3}\n", e, 10 * e, l, l + 4, l);
            put(b, line);
            snprintf(line, sizeof line, "{\"event\":\"histogram\",\"step\":%d,\"layer\":\"linear%d\",\"what\":\"preactivation\",\"low\":-2,\"high\":2.5,\"counts\":[1,5,%d,5,1]}\n",
                     10 * e, l, 9 * e);
            put(b, line);
            snprintf(line, sizeof line, "{\"event\":\"lr\",\"step\":%d,\"lr\":1e-%d,\"loss\":2.%d,\"smoothed\":2.%d}\n", 3 * e + l, 12 - 3 * e - l, l, e);
            put(b, line);
        }
        snprintf(line, sizeof line, "{\"epoch\":%d,\"step\":%d,\"seconds\":%d.5,\"rows_per_second\":1000,\"train\":{\"loss\":%d.25},\"test\":{\"loss\":1.5,\"accuracy\":0.%d}}\n",
                 e, 10 * e, e, 4 - e, 5 + e);
        put(b, line);
    }
    put(b, "{\"event\":\"finding\",\"step\":20,\"code\":\"RT01\",\"line\":5,\"level\":\"warning\",\"message\":\"40 % are dead\"}\n");
    put(b, "{\"event\":\"check\",\"step\":30,\"code\":\"ACT302\",\"name\":\"saturating_hidden\",\"line\":5,\"message\":\"m\",\"verdict\":\"observed\",\"why\":\"RT03\"}\n");
    put(b, "{\"event\":\"fold\",\"fold\":1,\"rows\":40,\"loss\":0.5}\n{\"event\":\"mean\",\"loss\":0.5}\n{\"event\":\"deviation\",\"loss\":0.25}\n"
           "{\"event\":\"lr_range\",\"model\":\"m\",\"steepest\":0.01,\"lowest\":0.1,\"diverged\":true}\n");
    put(b, "{\"event\":\"level\",\"of\":\"loss\",\"value\":1.25,\"name\":\"floor\"}\n");
    put(b, "{\"event\":\"confusion\",\"step\":30,\"part\":\"test\",\"value\":\"kind\",\"names\":[\"a\",\"b\"],\"counts\":[8,2,1,9]}\n");
    put(b, "{\"event\":\"example\",\"step\":30,\"part\":\"test\",\"row\":4,\"actual\":\"a\",\"answered\":\"b\",\"shape\":[4,4,1],\"pixels\":\"AAECAwQFBgcICQoLDA0ODw==\"}\n");
}

static int is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_' || c == '+' || c == '=';
}

/* A number, a name or a text gives way to another. */
static void change_word(Bytes *b)
{
    static const char *const words[] = {
        "0", "1", "7", "-1", "0.5", "1e308", "-1e308", "1e-320", "1e999", "-1e999", "nan", "inf", "4294967296", "9007199254740993", "18446744073709551616", "", "null", "{}",
        "[]", "true", "\"x\"", "\\u0000", "\\ud800", "\\u003cb>", "<script>alert(1)</script>", "</script>", "\"><img src=x>", "epoch", "event", "step", "layer", "histogram",
        "confusion", "example", "lr", "run", "forecast", "counts", "[[[[[[[[[[[[[[[[[[[[[[[[", "99999999999999999999999999999999", "\xff\xfe", "\xed\xa0\x80", "train", "loss", ",", "\n", "\r\n",
    };
    if (!b->n) return;
    size_t begin = (size_t)below(b->n), end = begin;
    while (begin > 0 && is_word(b->at[begin - 1])) begin--;
    while (end < b->n && is_word(b->at[end])) end++;
    const char *word = words[below(sizeof words / sizeof *words)];
    replace(b, begin, end - begin, word, strlen(word));
}

/* A line is left out, doubled, or goes elsewhere. */
static void change_line(Bytes *b)
{
    static unsigned char line[LARGEST];
    if (!b->n) return;
    size_t begin = (size_t)below(b->n), end = begin;
    while (begin > 0 && b->at[begin - 1] != '\n') begin--;
    while (end < b->n && b->at[end] != '\n') end++;
    if (end < b->n) end++;
    size_t n = end - begin;
    memcpy(line, b->at + begin, n);
    uint64_t what = below(3);
    if (what != 1) replace(b, begin, n, line, 0);
    size_t to = (size_t)below(b->n + 1);
    while (to > 0 && b->at[to - 1] != '\n') to--;
    if (what > 0) replace(b, to, 0, line, n);
}

static void damage(Bytes *b)
{
    unsigned char piece[32];
    if (b->n < 64) return;
    memcpy(piece, b->at + below(b->n - sizeof piece), sizeof piece);
    size_t at = (size_t)below(b->n), gone = (size_t)below(32);
    switch (below(10)) {
    case 0: b->at[at] ^= (unsigned char)(1 << below(8)); break;
    case 1: b->n = at; break;
    case 2: replace(b, at, 0, piece, (size_t)below(sizeof piece)); break;
    case 3: replace(b, at, gone < b->n - at ? gone : 0, piece, 0); break;
    case 4: b->at[at] = 0; break;
    case 5: change_line(b); break;
    default: change_word(b);
    }
}

/* A page that was drawn: whole, and nothing in it but what we wrote ourselves. */
static void judge_page(void)
{
    FILE *file = fopen(drawn, "rb");
    char *text = NULL, end = 0;
    size_t room = 0;
    ssize_t n = file ? getdelim(&text, &room, end, file) : -1;
    if (n < 20 || strcmp(text + n - 8, "</html>\n") != 0) die("not a whole page", drawn);
    if (strstr(text, "<script>alert") || strstr(text, "<img src=x>")) die("text became markup", drawn);
    for (const char *at = text; (at = strstr(at, " d=\"")); at++) {
        const char *stop = strchr(at + 4, '"');
        size_t length = (size_t)(stop - at - 4);
        if (memmem(at, length, "nan", 3) || memmem(at, length, "inf", 3)) die("a place that is no number", drawn);
    }
    fclose(file);
    free(text);
}

static ActError error;

static Bytes seed[KINDS];
static unsigned long taken;

static void judge(void)
{
    static Bytes b;
    uint64_t which = below(8);
    size_t kind = which < 5 ? 0 : (size_t)which - 5;
    b = seed[kind];
    for (uint64_t n = 1 + below(MUTATIONS); n > 0; n--) damage(&b);
    write_file(mutant[kind], &b);
    const char *const both[] = { mutant[kind], good };
    ActStatus status = act_plot(both, 1 + (size_t)below(2), drawn, &error);
    if (status == ACT_OK) judge_page();
    else if (status == ACT_E_FORMAT || status == ACT_E_DATA) {
        const char *place = strstr(error.text, "mutant");
        unsigned line, column;
        if (!place || !(place = strchr(place, ':')) || sscanf(place, ":%u:%u:", &line, &column) != 2) die("a message without file and line", error.text);
        if (strchr(error.text, '\n')) die("a message of several lines", error.text);
    } else {
        die("an unexpected status", error.text);
    }
    taken += status == ACT_OK;
}

int main(int argc, char **argv)
{
    const Rounds rounds = rounds_begin(argc, argv);
    static const char *const endings[KINDS] = { "jsonl", "csv", "html" };
    for (int k = 0; k < KINDS; k++) snprintf(mutant[k], sizeof mutant[k], "%s/mutant.%s", folder, endings[k]);
    snprintf(good, sizeof good, "%s/good.jsonl", folder);
    snprintf(drawn, sizeof drawn, "%s/page.html", folder);
    make_lines(&seed[0]);
    write_file(good, &seed[0]);
    put(&seed[1], "epoch,step,seconds,rows_per_second,train_loss,test_loss,test_accuracy\n1,10,0.5,1000,2.5,2.25,0.5\n2,20,1,1000,1.5,nan,0.625\n3,30,1.5,1000,0.5,1.25,0.75\n");
    put(&seed[2], "<!DOCTYPE html>\n<p>a page\n<script type=\"application/x-ndjson\" id=\"log\">\n");
    put(&seed[2], (char *)seed[0].at);
    put(&seed[2], "</script>\n</html>\n");

    const char *const whole[] = { good };
    if (act_plot(whole, 1, drawn, &error) != ACT_OK) die("refused though good", error.text);
    judge_page();
    rounds_run(&rounds, SECONDS, judge, error.text);
    if (!rounds.only) printf("%lu damaged logs, %lu of them still logs\n", rounds.count, taken);
    rounds_end();
    return 0;
}
