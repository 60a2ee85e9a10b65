// VIGIL_HEARTBEAT_FD: the same messages, as lines in an inherited pipe.
#include <sys/stat.h>

#include <csignal>

#include "supervisor_double.hpp"

using namespace vigil_test;

namespace {

constexpr int kCapacity = 8192;

// A pipe between supervisor and worker, announced in the environment. The supervisor's end does not block.
class HeartbeatPipe {
  public:
    HeartbeatPipe() {
        int ends[2];
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        take(ends[0], ends[1]);
    }
    explicit HeartbeatPipe(const std::string& fifo) {
        REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
        const int read_end = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        take(read_end, open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
        std::filesystem::remove(fifo);
    }
    HeartbeatPipe(const HeartbeatPipe&) = delete;
    HeartbeatPipe& operator=(const HeartbeatPipe&) = delete;
    ~HeartbeatPipe() {
        close_reader();
        close(write_end_);
    }

    int write_end() const { return write_end_; }

    void close_reader() {
        if (read_end_ >= 0) close(read_end_);
        read_end_ = -1;
    }

    std::string read_all() const {
        std::string all;
        char part[4096];
        for (ssize_t size; (size = read(read_end_, part, sizeof part)) > 0;)
            all.append(part, static_cast<std::size_t>(size));
        return all;
    }

  private:
    void take(int read_end, int write_end) {
        read_end_ = read_end;
        write_end_ = write_end;
        REQUIRE(read_end >= 0);
        REQUIRE(write_end >= 0);
        REQUIRE(fcntl(read_end_, F_SETFL, O_NONBLOCK) == 0);
        REQUIRE(fcntl(read_end_, F_SETPIPE_SZ, kCapacity) == kCapacity);
        setenv("VIGIL_HEARTBEAT_FD", std::to_string(write_end_).c_str(), 1);
    }

    int read_end_ = -1;
    int write_end_ = -1;
};

void expect_never_blocks(const HeartbeatPipe& pipe) {
    const int flags = fcntl(pipe.write_end(), F_GETFL);
    const Handle worker = open_handle();
    // Without RWF_NOWAIT the last page counts as full once it is begun.
    const int taken = fill_with_beats(worker.get());
    CHECK(taken > kCapacity / 2);
    CHECK(taken <= kCapacity);
    CHECK(vigil_status(worker.get(), "still here") == -EAGAIN);
    CHECK(pipe.read_all() == std::string(static_cast<std::size_t>(taken), '\n'));
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(pipe.read_all() == "\n");
    CHECK(fcntl(pipe.write_end(), F_GETFL) == flags);
}

}  // namespace

TEST_CASE("each call writes one line and a beat is an empty one") {
    const Surroundings surroundings;
    const HeartbeatPipe pipe;
    const Handle worker = open_handle();
    CHECK(vigil_ready(worker.get()) == 0);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(vigil_status(worker.get(), "one\ntwo") == 0);
    CHECK(vigil_stopping(worker.get()) == 0);
    CHECK(pipe.read_all() == "READY=1\n\nSTATUS=one two\nSTOPPING=1\n");
}

TEST_CASE("a notify socket is preferred to the pipe") {
    const Surroundings surroundings;
    const HeartbeatPipe pipe;
    Listener listener(surroundings.path("notify"));
    const Handle worker = open_handle(listener);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(listener.next_text() == "WATCHDOG=1");
    CHECK(pipe.read_all().empty());
}

TEST_CASE("a full pipe never blocks the worker, though its description does block") {
    const Surroundings surroundings;
    const HeartbeatPipe pipe;
    expect_never_blocks(pipe);
}

TEST_CASE("a full pipe never blocks the worker where the kernel knows no RWF_NOWAIT for it") {
    const Surroundings surroundings;
    const HeartbeatPipe fifo(surroundings.path("fifo"));
    expect_never_blocks(fifo);
}

TEST_CASE("a pipe without a reader is an error and no SIGPIPE") {
    const Surroundings surroundings;
    HeartbeatPipe pipe;
    const Handle worker = open_handle();
    pipe.close_reader();
    std::signal(SIGPIPE, SIG_DFL);
    CHECK(vigil_beat(worker.get()) == -EPIPE);

    sigset_t pending;
    sigset_t mask;
    sigpending(&pending);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
    CHECK(sigismember(&mask, SIGPIPE) == 0);
}

TEST_CASE("a SIGPIPE of the worker's own stays pending across a beat") {
    const Surroundings surroundings;
    HeartbeatPipe pipe;
    const Handle worker = open_handle();
    pipe.close_reader();
    sigset_t sigpipe;
    sigset_t before;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    raise(SIGPIPE);
    CHECK(vigil_beat(worker.get()) == -EPIPE);

    sigset_t pending;
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGPIPE) == 1);
    const timespec at_once{};
    CHECK(sigtimedwait(&sigpipe, nullptr, &at_once) == SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("closing the handle leaves the inherited descriptor open") {
    const Surroundings surroundings;
    const HeartbeatPipe pipe;
    open_handle().reset();
    CHECK(fcntl(pipe.write_end(), F_GETFD) != -1);
}

TEST_CASE("a descriptor that cannot take a message is refused") {
    const Surroundings surroundings;
    const auto refusal = [](const std::string& number) {
        setenv("VIGIL_HEARTBEAT_FD", number.c_str(), 1);
        vigil_handle* handle = nullptr;
        return vigil_open(&handle);
    };
    for (const char* garbage : {"x", "-1", " 3", "3 ", "+3", "0x3", "3.0"})
        CHECK(refusal(garbage) == -EINVAL);
    CHECK(refusal("99999999999999999999999") == -EINVAL);
    CHECK(refusal("4294967299") == -EBADF);
    CHECK(refusal("19999") == -EBADF);
    const int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(refusal(std::to_string(read_only)) == -EBADF);
    close(read_only);
}
