#include "support.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "linux/process/process.hpp"

namespace vigil::os::test {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return condition();
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
    while (::readdir(directory.get()) != nullptr) ++count;
    return count;
}

std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_whole(const std::string& path, const std::string& text, mode_t mode) {
    {
        std::ofstream file(path, std::ios::binary);
        file << text;
    }
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string status_field(const std::string& status, const std::string& name) {
    const std::size_t start = status.find("\n" + name + ":");
    if (start == std::string::npos) return "(none)";
    const std::size_t value = status.find_first_not_of(" \t", start + name.size() + 2);
    std::string found = status.substr(value, status.find('\n', value) - value);
    while (found.ends_with(' ')) found.pop_back();
    return found;
}

bool skipped_without_root() {
    if (::geteuid() == 0) return false;
    MESSAGE("SKIPPED: this case needs root");
    return true;
}

TempDir::TempDir() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/vigil-test-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
    REQUIRE(::chmod(path_.c_str(), 0755) == 0);
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

NothingLeft::NothingLeft() : before_(open_descriptors()) {}

NothingLeft::~NothingLeft() {
    CHECK(open_descriptors() == before_);
    siginfo_t info{};
    const int result = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    CHECK_MESSAGE((result == -1 && errno == ECHILD), "a child is left: pid " << info.si_pid);
}

SpawnBench::SpawnBench(const std::function<void(SpawnerOptions&)>& adjust) {
    SpawnerOptions options;
    options.notify_directory = directory_.path();
    if (adjust) adjust(options);
    auto made = Spawner::create(std::move(options));
    REQUIRE(made.ok());
    spawner_ = std::move(made).value();
}

SpawnBench::~SpawnBench() {
    spawner_.reset();
    for (SpawnOutcome& outcome : taken_) finish_off(outcome);
    static const Features features = probe_features();
    for (const Spawned& one : spawned_) {
        if (!has_ended(one.pidfd.get()) || features.signal_process_group)
            static_cast<void>(signal_group(one.pid, one.pidfd.get(), SIGKILL, features));
        wait_and_reap(one.pidfd.get());
    }
}

core::TaskSpec SpawnBench::spec(const std::vector<std::string>& command) {
    core::TaskSpec made;
    made.name = "task";
    made.command = command;
    made.launch.edit().output.to = core::OutputTo::inherit;
    return made;
}

core::TaskSpec SpawnBench::shell(const std::string& script) {
    return spec({"/bin/sh", "-c", script});
}

core::Generation SpawnBench::submit(core::TaskSpec spec, std::optional<Invocation> invocation, pid_t* record,
                                    std::optional<Auxiliary> auxiliary) {
    const core::Generation generation{++last_generation_};
    spawner_->submit({.task = core::TaskId{7},
                      .generation = generation,
                      .spec = std::make_shared<const core::TaskSpec>(std::move(spec)),
                      .invocation = invocation,
                      .pid_record = record,
                      .auxiliary = std::move(auxiliary)});
    return generation;
}

bool SpawnBench::has_outcome(core::Generation generation) {
    spawner_->take_finished(taken_);
    for (const SpawnOutcome& outcome : taken_)
        if (outcome.generation == generation) return true;
    return false;
}

SpawnOutcome SpawnBench::wait_for(core::Generation generation) {
    REQUIRE(eventually([&] { return has_outcome(generation); }, 30s));
    for (auto place = taken_.begin();; ++place) {
        if (place->generation != generation) continue;
        SpawnOutcome found = std::move(*place);
        taken_.erase(place);
        if (found.pidfd)
            spawned_.push_back({found.pid, UniqueFd(::fcntl(found.pidfd.get(), F_DUPFD_CLOEXEC, 0))});
        return found;
    }
}

core::ExitStatus SpawnBench::end_of(const SpawnOutcome& outcome) {
    REQUIRE_MESSAGE(!outcome.failure, (outcome.failure ? outcome.failure->detail : std::string()));
    std::optional<ChildEnd> end;
    REQUIRE(eventually([&] { return (end = reap(outcome.pidfd.get(), Features{})).has_value(); }, 30s));
    std::erase_if(spawned_, [&](const Spawned& one) { return one.pid == outcome.pid; });
    return end->status;
}

void SpawnBench::run(core::TaskSpec spec) {
    const SpawnOutcome outcome = spawn(std::move(spec));
    CHECK(end_of(outcome) == core::ExitStatus{.kind = core::ExitStatus::Kind::code});
}

void finish_off(SpawnOutcome& outcome) {
    if (outcome.pid == 0) return;
    ::kill(-outcome.pid, SIGKILL);
    wait_and_reap(outcome.pidfd.get());
}

}  // namespace vigil::os::test
