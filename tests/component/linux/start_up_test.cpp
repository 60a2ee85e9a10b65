// What a daemon inherits and puts in order; each in a child of its own, since it changes the whole process.
// And the set of watched descriptors.
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "linux/self/limits.hpp"
#include "linux/self/signals.hpp"
#include "linux/self/standard_streams.hpp"
#include "linux/socket/watch_set.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// The exit code of `body`, run in a child.
int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

UniqueFd any_descriptor() {
    return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

WatchTag tag(std::uint32_t task) {
    return {core::TaskId{task}, core::Generation{task + 100}, WatchKind::notify};
}

}  // namespace

TEST_CASE("nasty 83: inherited dispositions and masks are put in order at start") {
    CHECK(in_child([] {
              ::signal(SIGCHLD, SIG_IGN);
              ::signal(SIGTERM, SIG_IGN);
              ::signal(SIGRTMIN, SIG_IGN);
              sigset_t all;
              ::sigfillset(&all);
              ::sigprocmask(SIG_SETMASK, &all, nullptr);
              if (!reset_signals() || !block_only_child_signals()) return 1;
              if (::signal(SIGCHLD, SIG_DFL) != SIG_DFL || ::signal(SIGTERM, SIG_DFL) != SIG_DFL) return 2;
              if (::signal(SIGRTMIN, SIG_DFL) != SIG_DFL) return 3;
              if (::signal(SIGPIPE, SIG_DFL) != SIG_IGN) return 4;
              ::sigprocmask(SIG_SETMASK, nullptr, &all);
              for (int signal = 1; signal <= 64; ++signal)
                  if (::sigismember(&all, signal) != (signal == SIGCHLD ? 1 : 0)) return 5;
              return 0;
          }) == 0);
}

TEST_CASE("nasty 84: closed standard streams are opened on /dev/null, open ones left alone") {
    for (int closed = 0; closed < 8; ++closed) {
        CAPTURE(closed);
        CHECK(in_child([closed] {
                  const UniqueFd pipe_end = any_descriptor();
                  for (int fd = 0; fd <= 2; ++fd)
                      if ((closed >> fd) & 1) ::close(fd);
                  const int before_one = ::fcntl(1, F_GETFL);
                  if (!open_standard_streams()) return 1;
                  for (int fd = 0; fd <= 2; ++fd)
                      if (!is_open(fd) || ::fcntl(fd, F_GETFD) != 0) return 2;
                  if (before_one >= 0 && ::fcntl(1, F_GETFL) != before_one) return 3;
                  const UniqueFd next = any_descriptor();
                  return next.get() > 2 ? 0 : 4;
              }) == 0);
    }
}

TEST_CASE("low descriptors are lent and come back, and inherited ones are not touched") {
    CHECK(in_child([] {
              for (int fd = 3; fd < 100; ++fd) ::close(fd);
              ::dup2(1, 5);
              auto reserved = LowDescriptors::reserve();
              if (!reserved) return 1;
              LowDescriptors& low = **reserved;
              const int all = low.free_count();
              if (all < 26) return 2;
              const UniqueFd next = any_descriptor();
              if (next.get() < kLowDescriptors) return 3;
              {
                  LowDescriptors::Loan one = low.lend(next.get());
                  LowDescriptors::Loan two = low.lend(next.get());
                  if (one.get() < 3 || one.get() >= kLowDescriptors || one.get() == two.get() ||
                      one.get() == 5)
                      return 4;
                  two = std::move(one);
                  if (low.free_count() != all - 1) return 5;
              }
              if (low.free_count() != all || low.lend(-1).get() != -1 || low.free_count() != all) return 6;
              std::vector<LowDescriptors::Loan> loans;
              loans.reserve(static_cast<std::size_t>(all));
              for (int i = 0; i < all; ++i) loans.push_back(low.lend(next.get()));
              if (low.free_count() != 0 || low.lend(next.get()).get() != -1) return 7;
              loans.clear();
              reserved.value().reset();
              return is_open(5) && !is_open(4) ? 0 : 8;
          }) == 0);
}

TEST_CASE("room for descriptors is there before they are opened, as far as the limit allows") {
    const auto table_size = [] {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("FDSize:")) return std::stoi(line.substr(line.find(':') + 1));
        return 0;
    };
    CHECK(in_child([&] {
              const int before = table_size();
              reserve_descriptors(500);
              if (before >= 500 || table_size() < 500) return 1;
              rlimit limit{};
              ::getrlimit(RLIMIT_NOFILE, &limit);
              limit.rlim_cur = 600;
              ::setrlimit(RLIMIT_NOFILE, &limit);
              const int open = any_descriptor().get();
              reserve_descriptors(1'000'000);
              reserve_descriptors(0);
              if (table_size() < 600 || any_descriptor().get() != open) return 2;
              return 0;
          }) == 0);
}

TEST_CASE("the limit on descriptors is raised to the hard one and the old one remembered") {
    CHECK(in_child([] {
              rlimit limit{};
              ::getrlimit(RLIMIT_NOFILE, &limit);
              const rlim_t hard = limit.rlim_max;
              limit.rlim_cur = 200;
              ::setrlimit(RLIMIT_NOFILE, &limit);
              const auto raised = raise_open_file_limit();
              if (!raised || raised->at_start.rlim_cur != 200 || raised->now.rlim_cur != hard) return 1;
              ::getrlimit(RLIMIT_NOFILE, &limit);
              return limit.rlim_cur == hard ? 0 : 2;
          }) == 0);
}

TEST_CASE("a watch set hands out the tags of what is ready and never blocks") {
    const NothingLeft nothing_left;
    auto made = WatchSet::create();
    REQUIRE(made.ok());
    WatchSet& set = *made;
    std::array<Ready, 8> ready;
    CHECK(set.wait(ready) == 0);
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    REQUIRE(set.add(reader.get(), tag(1), EPOLLIN).ok());
    CHECK(set.size() == 1);
    CHECK(set.add(reader.get(), tag(2), EPOLLIN).error().code == EEXIST);
    CHECK(set.wait(ready) == 0);
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    REQUIRE(set.wait(ready) == 1);
    CHECK(ready[0].tag == tag(1));
    CHECK(ready[0].events == EPOLLIN);
    CHECK(set.wait(ready) == 1);
    REQUIRE(set.change(reader.get(), 0).ok());
    CHECK(set.wait(ready) == 0);
    writer.reset();
    REQUIRE(set.wait(ready) == 1);
    CHECK(ready[0].events == EPOLLHUP);
    set.remove(reader.get());
    set.remove(reader.get());
    set.remove(-1);
    set.remove(100000);
    CHECK(set.wait(ready) == 0);
    CHECK(set.size() == 0);
    CHECK(set.add(-1, tag(1), EPOLLIN).error().code == EBADF);
}

TEST_CASE("nasty 37: a watch set comes round to all that is ready, however small the batch") {
    const NothingLeft nothing_left;
    auto made = WatchSet::create();
    REQUIRE(made.ok());
    std::vector<UniqueFd> kept;
    for (std::uint32_t i = 0; i < 10; ++i) {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        kept.emplace_back(ends[0]);
        kept.emplace_back(ends[1]);
        REQUIRE(::write(ends[1], "x", 1) == 1);
        REQUIRE(made->add(ends[0], tag(i), EPOLLIN).ok());
    }
    std::array<int, 10> seen{};
    for (int round = 0; round < 5; ++round) {
        std::array<Ready, 2> ready;
        REQUIRE(made->wait(ready) == 2);
        for (const Ready& one : ready) ++seen[static_cast<std::size_t>(one.tag.task)];
    }
    for (const int count : seen) CHECK(count == 1);
    for (const UniqueFd& fd : kept) made->remove(fd.get());
}

TEST_CASE("a number that is used again gets its new tag") {
    const NothingLeft nothing_left;
    auto made = WatchSet::create();
    REQUIRE(made.ok());
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    REQUIRE(made->add(reader.get(), tag(1), EPOLLIN).ok());
    made->remove(reader.get());
    REQUIRE(made->add(reader.get(), tag(2), EPOLLIN).ok());
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    std::array<Ready, 2> ready;
    REQUIRE(made->wait(ready) == 1);
    CHECK(ready[0].tag == tag(2));
    made->remove(reader.get());
}
