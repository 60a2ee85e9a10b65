#include "program.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#ifdef VIGILCTL

namespace vigil::test {
namespace {

std::string read_all(int fd) {
    std::string text;
    char piece[4096];
    while (true) {
        const ssize_t got = ::read(fd, piece, sizeof piece);
        if (got <= 0) return text;
        text.append(piece, static_cast<std::size_t>(got));
    }
}

}  // namespace

Program::Program(std::vector<std::string> words, const char* socket) {
    int out[2];
    int err[2];
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
    words.insert(words.begin(), VIGILCTL);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        if (socket != nullptr) ::setenv("VIGIL_SOCKET", socket, 1);
        ::execv(VIGILCTL, argv.data());
        ::_exit(126);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_.reset(out[0]);
    err_.reset(err[0]);
}

void Program::interrupt() const {
    ::kill(pid_, SIGINT);
}

std::string Program::read_until(const std::string& end) const {
    std::string seen;
    while (!seen.ends_with(end)) {
        char byte = 0;
        if (::read(out_.get(), &byte, 1) != 1) break;
        seen.push_back(byte);
    }
    return seen;
}

Ended Program::end() {
    Ended ended{.code = -1, .out = read_all(out_.get()), .err = read_all(err_.get())};
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
    return ended;
}

Ended run(const FakeDaemon& daemon, std::vector<std::string> words) {
    return Program(std::move(words), daemon.socket().c_str()).end();
}

}  // namespace vigil::test

#endif
