/* What a worker of the measurements tells the measuring program: one datagram of this shape to the socket
   named in its arguments. Times are of CLOCK_MONOTONIC, taken by the worker itself, so that it does not
   matter when a report is read. */
#ifndef VIGIL_BENCH_WORKER_REPORT_H
#define VIGIL_BENCH_WORKER_REPORT_H

#include <stdint.h>

enum BenchReportKind {
    BENCH_STARTED = 1, /* its first act */
    BENCH_FOUND = 2    /* it was silent, and the supervisor's signal (SIGUSR1) has come */
};

struct BenchReport {
    uint32_t kind;
    uint32_t task; /* the number in its arguments */
    int32_t pid;
    uint32_t beats;       /* sent so far */
    int64_t at_ns;        /* now */
    int64_t last_beat_ns; /* taken just before the last beat was sent; 0: none */
};

#endif
