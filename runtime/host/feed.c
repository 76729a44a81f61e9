#include "feed.h"

#include "augment.h"
#include "core/affinity.h"
#include "evaluate.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = 3 };
static const double WORTH = 25e-6; /* seconds: about five times what handing a batch over takes */

typedef struct Slot {
    void **room;
    const void **value;
    size_t n;
    ActStatus status;
    ActError error;
} Slot;

/* What one thread makes of a batch that is made together. */
typedef struct Share {
    void **room;
    const void **value;
    ActStatus status;
    ActError error;
} Share;

struct ActFeed {
    const ActDataset *set;
    ActPool *pool;
    Share *share; uint32_t shares; /* NULL: nothing is made together */
    Slot *together;           /* what is being made */
    size_t batch;
    uint64_t seed;
    float *spare;             /* of an image that is moved */
    Slot slot[SLOTS];         /* in line: the first alone */

    const uint32_t *order;
    uint64_t row, step;       /* of the batch to be made next */
    int beside;
    pthread_t thread;
    pthread_mutex_t lock;     /* of what follows */
    pthread_cond_t made, wanted, idle;
    int running, busy, leaving;
    uint64_t head, tail;      /* batches made, and given back */
    int holding;              /* the caller has the batch `tail` */
};

/* ── what a batch costs ── */

/* Seconds to make a row, roughly: as measured on a machine of 4 GHz. */
static double row_cost(const ActView *view, int ready)
{
    double n = (double)view->width;
    if (ready) return 60e-9 + n * 0.25e-9;
    double each = view->look ? 0.6e-9 : 0.5e-9;
    for (size_t s = 0; !view->look && s < view->n_step; s++) each += view->step[s].kind == ACT_T_AFFINE ? 1e-9 : 2.5e-9;
    return 60e-9 + n * each + (view->table.source.at ? 0 : 500e-9);
}

typedef struct Worth { int thread, together; } Worth;

static Worth worth(const ActDataset *set, size_t batch, uint32_t threads)
{
    const ActRows *rows = &set->part[ACT_TRAIN_PART];
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), distant = 0;
    double cost = 0;
    for (size_t v = 0; v < set->n_value; v++) {
        if (!rows->view[v]) continue;
        cost += (double)batch * row_cost(rows->view[v], rows->value[v] != NULL);
        if (!rows->view[v]->table.source.memory) distant += rows->view[v]->table.source.size;
    }
    if (distant > memory / 2) return (Worth){ 1, 0 }; /* the system can't keep it at hand */
    return (Worth){ cost >= WORTH && act_processors_allowed() > threads, cost >= WORTH && threads > 1 };
}

/* ── making them ── */

static void make_share(void *context, uint32_t thread, uint32_t threads)
{
    ActFeed *feed = context;
    Share *share = &feed->share[thread];
    const Slot *slot = feed->together;
    size_t first = slot->n * thread / threads, n = slot->n * (thread + 1) / threads - first;
    for (size_t v = 0; v < feed->set->n_value; v++) share->room[v] = (char *)slot->room[v] + first * feed->set->width[v] * 4;
    share->status = act_dataset_batch(feed->set, &feed->set->part[ACT_TRAIN_PART], feed->order, (size_t)feed->row + first, n, feed->set->n_value,
                                      share->room, share->value, &share->error);
}

/* Rows in an order of their own always lie in rooms, so that everybody has a piece of them. */
static void make_together(ActFeed *feed, Slot *slot)
{
    feed->together = slot;
    act_parallel(feed->pool, make_share, feed);
    slot->status = ACT_OK;
    for (uint32_t i = 0; i < feed->shares && slot->status == ACT_OK; i++) {
        slot->status = feed->share[i].status;
        if (slot->status != ACT_OK) slot->error = feed->share[i].error;
    }
    for (size_t v = 0; v < feed->set->n_value; v++) slot->value[v] = feed->share[0].value[v] ? slot->room[v] : NULL;
}

/* Makes the batch at row and step, and goes on to the next. */
static void make(ActFeed *feed, Slot *slot)
{
    const ActRows *train = &feed->set->part[ACT_TRAIN_PART];
    uint64_t left = train->rows - feed->row;
    slot->n = left < feed->batch ? (size_t)left : feed->batch;
    slot->status = ACT_OK;
    if (slot->n == 0) return;
    if (feed->share) make_together(feed, slot);
    else slot->status = act_dataset_batch(feed->set, train, feed->order, (size_t)feed->row, slot->n, feed->set->n_value, slot->room,
                                          slot->value, &slot->error);
    if (slot->status == ACT_OK && feed->spare) /* in an order of its own all lies in rooms */
        act_augment(feed->set->model, feed->seed, feed->step, slot->n, slot->room, feed->spare);
    feed->row += slot->n;
    feed->step++;
}

static void *work(void *argument)
{
    ActFeed *feed = argument;
    pthread_mutex_lock(&feed->lock);
    for (;;) {
        while (!feed->leaving && !(feed->running && feed->head - feed->tail < SLOTS)) pthread_cond_wait(&feed->wanted, &feed->lock);
        if (feed->leaving) break;
        Slot *slot = &feed->slot[feed->head % SLOTS];
        feed->busy = 1;
        pthread_mutex_unlock(&feed->lock);
        make(feed, slot);
        pthread_mutex_lock(&feed->lock);
        feed->busy = 0;
        feed->head++;
        if (slot->n == 0 || slot->status != ACT_OK) feed->running = 0; /* the last */
        pthread_cond_signal(&feed->made);
        pthread_cond_signal(&feed->idle);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

/* Signals are for the caller's thread. */
static int start(ActFeed *feed)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&feed->thread, NULL, work, feed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

static int share_out(ActFeed *feed)
{
    feed->share = calloc(feed->shares, sizeof *feed->share);
    int good = feed->share != NULL;
    for (uint32_t i = 0; i < feed->shares && good; i++) {
        feed->share[i].room = calloc(feed->set->n_value + 1, sizeof *feed->share[i].room);
        feed->share[i].value = calloc(feed->set->n_value + 1, sizeof *feed->share[i].value);
        good = feed->share[i].room && feed->share[i].value;
    }
    return good;
}

ActFeed *act_feed_new(const ActDataset *set, size_t batch, ActPool *pool, uint64_t seed, ActFeedMode mode, ActError *error)
{
    ActFeed *feed = calloc(1, sizeof *feed);
    if (!feed) {
        act_error_memory(error);
        return NULL;
    }
    feed->set = set;
    feed->batch = batch;
    feed->seed = seed;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->made, NULL);
    pthread_cond_init(&feed->wanted, NULL);
    pthread_cond_init(&feed->idle, NULL);
    feed->pool = pool;
    feed->shares = act_pool_threads(pool);
    Worth worthy = worth(set, batch, feed->shares);
    int beside = mode == ACT_FEED_BESIDE || (mode == ACT_FEED_BY_RULE && worthy.thread), good = 1;
    int together = mode == ACT_FEED_TOGETHER || (mode == ACT_FEED_BY_RULE && !beside && worthy.together);
    size_t spare = act_augment_spare(set->model);
    if (spare) good = (feed->spare = malloc(spare * sizeof *feed->spare)) != NULL;
    for (int i = 0; i < (beside ? SLOTS : 1) && good; i++) {
        feed->slot[i].room = act_rooms_new(set->model, batch);
        feed->slot[i].value = calloc(set->n_value + 1, sizeof *feed->slot[i].value);
        good = feed->slot[i].room && feed->slot[i].value;
    }
    if (together && good) good = share_out(feed);
    if (!good) {
        act_feed_free(feed);
        act_error_memory(error);
        return NULL;
    }
    feed->beside = beside && start(feed); /* where there is no thread to be had, it goes in line */
    return feed;
}

void act_feed_begin(ActFeed *feed, const uint32_t *order, uint64_t row, uint64_t step)
{
    act_feed_end(feed);
    feed->order = order;
    feed->row = row;
    feed->step = step;
    if (!feed->beside) return;
    pthread_mutex_lock(&feed->lock);
    feed->head = feed->tail = 0;
    feed->holding = 0;
    feed->running = 1;
    pthread_cond_signal(&feed->wanted);
    pthread_mutex_unlock(&feed->lock);
}

static ActStatus hand_over(const Slot *slot, const void *const **value, size_t *n, ActError *error)
{
    *value = slot->value;
    *n = slot->n;
    if (slot->status != ACT_OK && error) *error = slot->error;
    return slot->status;
}

ActStatus act_feed_next(ActFeed *feed, const void *const **value, size_t *n, ActError *error)
{
    if (!feed->beside) {
        make(feed, &feed->slot[0]);
        return hand_over(&feed->slot[0], value, n, error);
    }
    pthread_mutex_lock(&feed->lock);
    if (feed->holding) {
        feed->tail++;
        if (feed->running && !feed->busy) pthread_cond_signal(&feed->wanted);
    }
    while (feed->head == feed->tail) pthread_cond_wait(&feed->made, &feed->lock);
    const Slot *slot = &feed->slot[feed->tail % SLOTS];
    feed->holding = slot->n > 0 && slot->status == ACT_OK; /* the last stays, for who asks again */
    pthread_mutex_unlock(&feed->lock);
    return hand_over(slot, value, n, error);
}

void act_feed_end(ActFeed *feed)
{
    if (!feed->beside) return;
    pthread_mutex_lock(&feed->lock);
    feed->running = 0;
    while (feed->busy) pthread_cond_wait(&feed->idle, &feed->lock);
    pthread_mutex_unlock(&feed->lock);
}

void act_feed_free(ActFeed *feed)
{
    if (!feed) return;
    if (feed->beside) {
        pthread_mutex_lock(&feed->lock);
        feed->leaving = 1;
        feed->running = 0;
        pthread_cond_signal(&feed->wanted);
        pthread_mutex_unlock(&feed->lock);
        pthread_join(feed->thread, NULL);
    }
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->made);
    pthread_cond_destroy(&feed->wanted);
    pthread_cond_destroy(&feed->idle);
    for (int i = 0; i < SLOTS; i++) {
        act_rooms_free(feed->slot[i].room, feed->set->n_value);
        free(feed->slot[i].value);
    }
    for (uint32_t i = 0; feed->share && i < feed->shares; i++) {
        free(feed->share[i].room);
        free(feed->share[i].value);
    }
    free(feed->share);
    free(feed->spare);
    free(feed);
}

int act_feed_is_beside(const ActFeed *feed) { return feed->beside; }
