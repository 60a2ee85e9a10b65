#include "log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.hpp"

using namespace vigil;
using daemon::LogStyle;
using daemon::make_logger;

namespace {

struct Pipe {
    UniqueFd read_end, write_end;
    Pipe() {
        int fds[2];
        REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
        read_end.reset(fds[0]);
        write_end.reset(fds[1]);
        REQUIRE(::fcntl(read_end.get(), F_SETFL, O_NONBLOCK) == 0);
    }
    std::string drain() {
        std::string out;
        char bytes[4096];
        for (ssize_t n = 0; (n = ::read(read_end.get(), bytes, sizeof bytes)) > 0;)
            out.append(bytes, static_cast<std::size_t>(n));
        return out;
    }
};

}  // namespace

TEST_CASE("under journald each line begins with its priority and has no timestamp") {
    Pipe pipe;
    const auto log = make_logger(pipe.write_end.get(), LogStyle::journal, spdlog::level::debug);
    log->error("bad");
    log->info("good");
    log->debug("fine");
    CHECK(pipe.drain() == "<3>bad\n<6>good\n<7>fine\n");
}

TEST_CASE("text from strangers cannot forge a log line") {
    Pipe pipe;
    const auto log = make_logger(pipe.write_end.get(), LogStyle::journal, spdlog::level::info);
    log->info("status: {}", "ok\n<3>forged \x1b[2J");
    CHECK(pipe.drain() == "<6>status: ok\\n<3>forged \\x1b[2J\n");
}

TEST_CASE("a reader that does not read never blocks the daemon, and is told what it missed") {
    Pipe pipe;
    const auto log = make_logger(pipe.write_end.get(), LogStyle::journal, spdlog::level::info);
    const std::string text(1000, 'x');
    for (int i = 0; i < 2000; ++i) log->info("{} {}", i, text);
    std::string seen = pipe.drain();
    for (int i = 0; i < 20; ++i) {
        log->flush();
        seen += pipe.drain();
    }
    log->info("the end");
    for (int i = 0; i < 3; ++i) {
        log->flush();
        seen += pipe.drain();
    }
    CHECK(seen.find("<6>0 x") == 0);
    CHECK(seen.find("log lines were dropped") != std::string::npos);
    CHECK(seen.find("the end") != std::string::npos);
}

TEST_CASE("nasty 53: what a full disk had no room for is written once there is some") {
    // /dev/full says ENOSPC; a pipe takes its place, as room on a disk that was full would.
    UniqueFd disk(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(disk);
    Pipe pipe;
    const auto log = make_logger(disk.get(), LogStyle::journal, spdlog::level::info);
    log->warn("the disk is full");
    REQUIRE(::dup3(pipe.write_end.get(), disk.get(), O_CLOEXEC) == disk.get());
    log->info("and has room again");
    CHECK(pipe.drain() == "<4>the disk is full\n<6>and has room again\n");
}

TEST_CASE("a reader that is gone harms nobody") {
    Pipe pipe;
    const auto log = make_logger(pipe.write_end.get(), LogStyle::plain, spdlog::level::info);
    pipe.read_end.reset();
    ::signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 1000; ++i) log->info("nobody reads this");
}

TEST_CASE("lines that are held come together and in order; an error does not wait") {
    Pipe pipe;
    const auto log = make_logger(pipe.write_end.get(), LogStyle::journal, spdlog::level::info);
    daemon::hold_lines(*log, true);
    log->info("one");
    log->warn("two");
    CHECK(pipe.drain().empty());
    daemon::hold_lines(*log, false);
    CHECK(pipe.drain() == "<6>one\n<4>two\n");
    daemon::hold_lines(*log, true);
    log->info("three");
    log->error("four");
    CHECK(pipe.drain() == "<6>three\n<3>four\n");
    daemon::hold_lines(*log, false);
    log->info("five");
    CHECK(pipe.drain() == "<6>five\n");
}
