#include "linux/spawn/other_program.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "component/linux/support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace std::chrono_literals;

namespace {

Result<ProgramAnswer> ask(const std::string& script, std::chrono::milliseconds limit = 20s) {
    const auto memory = sealed_memory("test", "what was given\n");
    REQUIRE(memory);
    return ask_program("/bin/sh", {"sh", "-c", script}, memory->get(), limit);
}

bool is_close_on_exec(int fd) {
    return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

}  // namespace

TEST_CASE("a program is asked with one descriptor and says what it has to say on two") {
    const auto answer = ask("cat <&3; echo bad >&2; ls /proc/self/fd | wc -l");
    REQUIRE(answer);
    CHECK(answer->in_time);
    // 0 to 3, and the one with which ls reads the directory.
    CHECK(answer->output == "what was given\n5\n");
    CHECK(answer->errors == "bad\n");
}

TEST_CASE("a program that says too much is read to its end, one that hangs is killed at the limit") {
    const auto much = ask("yes | head -c 200000");
    REQUIRE(much);
    CHECK(much->in_time);
    CHECK(much->output.size() == 64U << 10);
    const auto hangs = ask("echo begun; exec sleep 1000", 300ms);
    REQUIRE(hangs);
    CHECK_FALSE(hangs->in_time);
    CHECK(hangs->output == "begun\n");
}

TEST_CASE("a program that is none is an error with its errno, and leaves no child") {
    const auto memory = sealed_memory("test", "");
    REQUIRE(memory);
    CHECK(ask_program("/nowhere", {"x"}, memory->get(), 1s).error().code == ENOENT);
    CHECK(ask_program("/", {"x"}, memory->get(), 1s).error().code == EACCES);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a file in memory cannot be changed, and is read whole up to a bound") {
    const std::string text(100'000, 'x');
    const auto memory = sealed_memory("test", text);
    REQUIRE(memory);
    CHECK(is_close_on_exec(memory->get()));
    CHECK(::write(memory->get(), "y", 1) == -1);
    CHECK(::ftruncate(memory->get(), 0) == -1);
    CHECK(*read_all_of(memory->get(), text.size()) == text);
    CHECK(read_all_of(memory->get(), text.size() - 1).error().code == EFBIG);
    const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(read_all_of(null.get(), 10).error().code == EINVAL);
}

TEST_CASE("an exec that fails leaves the mask and the descriptors as they were") {
    const auto memory = sealed_memory("test", "");
    REQUIRE(memory);
    sigset_t before;
    sigset_t after;
    ::sigprocmask(SIG_SETMASK, nullptr, &before);
    const int kept[] = {memory->get()};
    CHECK(go_on_as("/nowhere", {"x"}, kept).code == ENOENT);
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < 64; ++signal)
        CHECK(::sigismember(&before, signal) == ::sigismember(&after, signal));
    CHECK(is_close_on_exec(memory->get()));
}

TEST_CASE("the program that is gone on as has the descriptors that are kept, and signals wait for it") {
    const auto memory = sealed_memory("test", "kept");
    REQUIRE(memory);
    const pid_t pid = ::fork();
    if (pid == 0) {
        const int kept[] = {memory->get()};
        const std::string fd = std::to_string(memory->get());
        // SIGTERM is blocked there; a shell that gets it would end with 143.
        (void)go_on_as("/bin/sh",
                       {"sh", "-c", "kill -TERM $$; test \"$(cat <&" + fd + ")\" = kept && exit 7"}, kept);
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("what came through an exec is closed at the next one; what did not come is an error") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const UniqueFd other(ends[1]);
    const auto taken = take_inherited(ends[0]);
    REQUIRE(taken);
    CHECK(is_close_on_exec(taken->get()));
    CHECK(take_inherited(-1).error().code == EBADF);
    CHECK(take_inherited(999'999).error().code == EBADF);
}
