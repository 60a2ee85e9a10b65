// The daemon is killed: what is not in the logs is still in the pipes.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "output/pipe.hpp"
#include "output/transfer_notes.hpp"
#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

constexpr unsigned kThreads = 2;

/// In a child: a collector over one pipe, until it is killed.
[[noreturn]] void collect_until_killed(const std::string& path, core::OutputFormat format, int pipe,
                                       int notes) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    CollectorOptions options;
    options.threads = kThreads;
    options.notes = TransferNotes::open(notes).value();
    auto collector = Collector::create(std::move(options));
    auto spec = std::make_shared<core::TaskSpec>();
    spec->name = "api";
    spec->launch.edit().output.format = format;
    Source source;
    source.task = core::TaskId{1};
    source.generation = core::Generation{1};
    source.spec = spec;
    source.path = path;
    source.pipe.reset(pipe);
    if (!collector || !(*collector)->attach(std::move(source))) ::_exit(3);
    for (;;) ::pause();
}

std::string take_all(int pipe) {
    std::string text;
    char buffer[65536];
    for (ssize_t count = 0; (count = ::read(pipe, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(count));
    return text;
}

/// One round: prints, kills at a random moment. Gives what was printed, what is in the log, what in the pipe,
/// and what is in the log once the next collector has gone on.
struct Round {
    std::string printed;
    std::string logged;
    std::string waiting;
    std::string in_the_end;
};

/// What is in the pipe stays there.
std::string look_into(int pipe) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const UniqueFd read_end(ends[0]);
    const UniqueFd write_end(ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kBigPipe));
    (void)::tee(pipe, ends[1], kBigPipe, SPLICE_F_NONBLOCK);
    return take_all(ends[0]);
}

std::string go_on(const std::string& path, core::OutputFormat format, int pipe, int notes) {
    Stage stage([&](CollectorOptions& options) { options.notes = TransferNotes::open(notes).value(); });
    Task task;
    task.id = core::TaskId{1};
    task.spec = std::make_shared<core::TaskSpec>();
    task.spec->name = "api";
    task.spec->launch.edit().output.path = path;
    task.spec->launch.edit().output.format = format;
    stage.attach(task, ::fcntl(pipe, F_DUPFD_CLOEXEC, 3));
    stage.end(task);
    return read_whole(path);
}

Round kill_once(core::OutputFormat format, std::mt19937& random) {
    const TempDir directory;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const UniqueFd keeper(ends[0]);
    const UniqueFd notes = std::move(TransferNotes::make().value());
    Task task;
    task.out.reset(ends[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        task.out.reset();
        collect_until_killed(directory / "api.log", format, ::dup(ends[0]), notes.get());
    }
    Round round;
    std::thread killer([&, delay = std::chrono::microseconds(random() % 30'000)] {
        std::this_thread::sleep_for(delay);
        ::kill(child, SIGKILL);
    });
    bool alive = true;
    for (std::size_t at = 0; alive; at += 100) {
        const std::string text = numbered_lines(at, 100);
        std::size_t done = 0;
        while (done < text.size()) {
            const ssize_t count = ::write(task.out.get(), text.data() + done, text.size() - done);
            if (count > 0) done += static_cast<std::size_t>(count);
            if (count < 0) alive = ::waitpid(child, nullptr, WNOHANG) == 0;
            if (!alive) break;
        }
        round.printed.append(text, 0, done);
    }
    killer.join();
    round.logged = read_whole(directory / "api.log");
    round.waiting = look_into(keeper.get());
    round.in_the_end = go_on(directory / "api.log", format, keeper.get(), notes.get());
    return round;
}

std::size_t rounds() {
    const char* given = std::getenv("VIGIL_KILLS");
    return given == nullptr ? 40 : std::strtoul(given, nullptr, 10);
}

}  // namespace

TEST_CASE(
    "Killed at any moment, a daemon loses nothing of raw output, and the next one goes on at the very byte") {
    std::mt19937 random(std::random_device{}());
    std::size_t doubled = 0;
    for (std::size_t i = 0; i < rounds(); ++i) {
        const Round round = kill_once(core::OutputFormat::raw, random);
        CHECK(round.printed.starts_with(round.logged));
        CHECK(round.printed.ends_with(round.waiting));
        // What was being written is in both places: one transfer, as one log is one worker's.
        REQUIRE(round.logged.size() + round.waiting.size() >= round.printed.size());
        CHECK(round.logged.size() + round.waiting.size() <= round.printed.size() + kBigPipe / 4);
        if (round.in_the_end == round.printed) continue;
        // Killed in the instant between the end of a write and the end of its note.
        ++doubled;
        CHECK(round.in_the_end == round.logged + round.waiting);
    }
    MESSAGE("rounds with a transfer that is in the log twice: " << doubled << " of " << rounds());
    CHECK(doubled <= rounds() / 4);
}

TEST_CASE(
    "Killed at any moment, a daemon loses no formatted line, and none is torn once the next one goes on") {
    std::mt19937 random(std::random_device{}());
    std::size_t doubled = 0;
    for (std::size_t i = 0; i < rounds(); ++i) {
        const Round round = kill_once(core::OutputFormat::timestamp, random);
        std::string text;
        for (std::size_t at = 0; at < round.in_the_end.size();) {
            const std::size_t end = round.in_the_end.find('\n', at);
            const bool is_line = end != std::string::npos && end >= at + 25;
            if (!is_line) REQUIRE(is_line);
            text += round.in_the_end.substr(at + 25, end - at - 24);
            at = end + 1;
        }
        // The last line is ended for a task that was cut off in it.
        const std::string whole = round.printed.ends_with('\n') ? round.printed : round.printed + "\n";
        if (text == whole) continue;
        ++doubled;
        REQUIRE(text.size() > whole.size());
        CHECK(text.ends_with(round.waiting.ends_with('\n') ? round.waiting : round.waiting + "\n"));
    }
    MESSAGE("rounds with lines that are in the log twice: " << doubled << " of " << rounds());
    CHECK(doubled <= rounds() / 4);
}
