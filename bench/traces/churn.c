/*
 * churn.c: record_churn THREADS PAIRS: free and malloc, and nothing else to speak of.
 *
 * Each thread keeps 10,000 blocks of 16 to 515 bytes and replaces one drawn at random, PAIRS times.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS       10000
#define MOST_THREADS 64

static long pairs;
static char *blocks[MOST_THREADS][BLOCKS];

static void *churn(void *place)
{
    char **const own = place;
    uint64_t draw = UINT64_C(0x9e3779b97f4a7c15);
    for (long i = 0; i < pairs; i++) {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        char **const one = &own[draw % BLOCKS];
        free(*one);
        *one = malloc(16 + (draw >> 32) % 500);
        **one = 1;
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t threads[MOST_THREADS];
    const int wanted = count == 3 ? (int)strtol(arguments[1], NULL, 10) : 0;
    if (wanted < 1 || wanted > MOST_THREADS) {
        (void)fputs("usage: record_churn THREADS PAIRS\n", stderr);
        return 2;
    }
    pairs = strtol(arguments[2], NULL, 10);
    for (int i = 1; i < wanted; i++) {
        if (pthread_create(&threads[i], NULL, churn, blocks[i]) != 0) {
            return 1;
        }
    }
    (void)churn(blocks[0]);
    for (int i = 1; i < wanted; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return 0;
}
