#include "limit/limit.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>

namespace vigil::bench {

void Limit::prepare(const Plan& plan) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) give_up("socketpair");
    orders_.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    Argv command{BENCH_BARE_SUPERVISOR, std::to_string(threads_), std::to_string(plan.tasks), plan.worker,
                 plan.reports};
    if (apart_) command.emplace_back("apart");
    pid_ = start_program(command, {theirs.get(), theirs.get()});
    order("ready\n");
}

void Limit::order(const char* line) {
    if (::write(orders_.get(), line, std::strlen(line)) < 0) give_up("order to the bare supervisor");
    char answer[8];
    if (::read(orders_.get(), answer, sizeof answer) != 3) give_up("the bare supervisor has failed");
}

void Limit::end() {
    if (pid_ <= 0) return;
    const std::vector<pid_t> left = children_of(pid_);
    put_an_end_to(pid_);
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
}

}  // namespace vigil::bench
