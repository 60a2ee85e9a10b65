#include "rig/reports.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "rig/clock.hpp"
#include "rig/programs.hpp"

namespace vigil::bench {

Reports::Reports(std::string path, std::size_t tasks) : path_(std::move(path)), tasks_(tasks) {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const UnixAddress address(path_);
    ::unlink(path_.c_str());
    if (!socket_ || ::bind(socket_.get(), address.get(), address.size()) != 0) give_up("bind " + path_);
}

bool Reports::next(BenchReport& report, std::int64_t until_ns) {
    for (;;) {
        if (::recv(socket_.get(), &report, sizeof report, 0) == sizeof report) {
            if (report.kind == BENCH_STARTED && report.task < tasks_.size()) {
                Task& task = tasks_[report.task];
                task.pid = report.pid;
                task.started_ns = report.at_ns;
                ++task.starts;
            }
            return true;
        }
        const std::int64_t left = until_ns - now_ns();
        if (left <= 0) return false;
        pollfd wait{socket_.get(), POLLIN, 0};
        ::poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left / 1'000'000 + 1, 60'000)));
    }
}

std::int64_t Reports::wait_started(std::size_t count, std::int64_t limit_ms) {
    const std::int64_t until = now_ns() + limit_ms * 1'000'000;
    std::int64_t latest = 0;
    std::size_t found = 0;
    for (BenchReport report{}; found < count;) {
        if (!next(report, until))
            give_up("only " + std::to_string(found) + " of " + std::to_string(count) +
                    " workers started within " + std::to_string(limit_ms) + " ms");
        if (report.kind != BENCH_STARTED) continue;
        latest = std::max(latest, report.at_ns);
        ++found;
    }
    return latest;
}

void Reports::drain() {
    for (BenchReport report{}; next(report, 0);) {
    }
}

}  // namespace vigil::bench
