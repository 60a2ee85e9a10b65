/* A worker in C, supervised through libvigil. Its work is to find prime numbers, one at a time.
 *
 *     cc worker.c $(pkg-config --cflags --libs vigil) -o worker
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <vigil.h>

static bool is_prime(unsigned long number) {
    for (unsigned long divisor = 2; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0) return false;
    return number > 1;
}

static unsigned long next_prime(unsigned long number) {
    do ++number;
    while (!is_prime(number));
    return number;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0); /* a supervisor reads a pipe: show each line when it is written */

    /* The signals that end the worker stay blocked and are received by the wait below, between two pieces of
     * work: no handler, and no instant at which one can be missed. Programs started from here inherit the
     * mask. */
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);

    vigil_handle* vigil;
    const int error = vigil_open(&vigil);
    if (error < 0) fprintf(stderr, "running unsupervised: %s\n", strerror(-error));

    uint64_t pause = vigil_interval(vigil);
    if (pause == 0) pause = 1000000; /* nobody waits for beats: the worker's own pace */
    const struct timespec wait = {(time_t)(pause / 1000000), (long)(pause % 1000000) * 1000};

    printf("c: started, a prime number every %g s\n", (double)pause / 1e6);
    vigil_ready(vigil);
    unsigned long found = 0;
    unsigned long prime = 0;
    do {
        prime = next_prime(prime);
        if (++found % 10 == 0) printf("c: prime number %lu is %lu\n", found, prime);
        vigil_status(vigil, "%lu primes, the last is %lu", found, prime);
        vigil_beat(vigil); /* here, where a piece of work is done; a worker that is stuck does not come by */
    } while (sigtimedwait(&end, NULL, &wait) < 0);

    vigil_stopping(vigil);
    printf("c: asked to end after %lu primes\n", found);
    vigil_close(vigil);
    return 0;
}
