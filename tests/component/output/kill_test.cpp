// The daemon is killed: what is not in the logs is still in the pipes.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "output/pipe.hpp"
#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

constexpr unsigned kThreads = 2;

/// In a child: a collector over one pipe, until it is killed.
[[noreturn]] void collect_until_killed(const std::string& path, core::OutputFormat format, int pipe) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    CollectorOptions options;
    options.threads = kThreads;
    auto collector = Collector::create(std::move(options));
    auto spec = std::make_shared<core::TaskSpec>();
    spec->name = "api";
    spec->launch.output.format = format;
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

/// One round: prints, kills at a random moment. Gives what was printed, what is in the log, what in the pipe.
struct Round {
    std::string printed;
    std::string logged;
    std::string waiting;
};

Round kill_once(core::OutputFormat format, std::mt19937& random) {
    const TempDir directory;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const UniqueFd keeper(ends[0]);
    Task task;
    task.out.reset(ends[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        task.out.reset();
        collect_until_killed(directory / "api.log", format, ::dup(ends[0]));
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
    round.waiting = take_all(keeper.get());
    return round;
}

std::size_t rounds() {
    const char* given = std::getenv("VIGIL_KILLS");
    return given == nullptr ? 40 : std::strtoul(given, nullptr, 10);
}

}  // namespace

TEST_CASE("Killed at any moment, a daemon loses nothing of raw output") {
    std::mt19937 random(std::random_device{}());
    std::size_t doubled = 0;
    for (std::size_t i = 0; i < rounds(); ++i) {
        const Round round = kill_once(core::OutputFormat::raw, random);
        CHECK(round.printed.starts_with(round.logged));
        CHECK(round.printed.ends_with(round.waiting));
        REQUIRE(round.logged.size() + round.waiting.size() >= round.printed.size());
        // What was being written is in both places: one transfer, as one log is one worker's.
        const std::size_t both = round.logged.size() + round.waiting.size() - round.printed.size();
        CHECK(both <= kBigPipe / 4);
        doubled += both != 0 ? 1U : 0U;
    }
    MESSAGE("rounds with a transfer in both places: " << doubled << " of " << rounds());
}

TEST_CASE("Killed at any moment, a daemon loses no formatted line") {
    std::mt19937 random(std::random_device{}());
    for (std::size_t i = 0; i < rounds(); ++i) {
        const Round round = kill_once(core::OutputFormat::timestamp, random);
        std::string text;
        for (std::size_t at = 0; at < round.logged.size();) {
            const std::size_t end = round.logged.find('\n', at);
            // A line that was torn by the kill is in the pipe yet.
            if (end == std::string::npos) break;
            if (end - at > 25) text += round.logged.substr(at + 25, end - at - 24);
            at = end + 1;
        }
        // Lines may be there twice, never not at all.
        CHECK(round.printed.starts_with(text));
        CHECK(round.printed.ends_with(round.waiting));
        CHECK(text.size() + round.waiting.size() >= round.printed.size());
    }
}
