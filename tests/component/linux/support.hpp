// What the component tests of the Linux layer share: a temporary directory, waiting without sleeping, and the
// proof that a case has left nothing behind.
#pragma once

#include <doctest/doctest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linux/spawn/spawner.hpp"

namespace vigil::os::test {

using namespace std::chrono_literals;

/// Looks until `condition` holds, at most `limit` long, and gives its last answer.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 10s);

/// Open descriptors of this process.
[[nodiscard]] std::size_t open_descriptors();
[[nodiscard]] std::string read_whole(const std::string& path);
void write_whole(const std::string& path, const std::string& text, mode_t mode);
/// The value after "name:" in a /proc/PID/status.
[[nodiscard]] std::string status_field(const std::string& status, const std::string& name);

/// Says aloud that a case was not run; true then.
[[nodiscard]] bool skipped_without_root();

/// Under $TMPDIR or /tmp, mode 0755, removed with all in it.
class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

/// Fails the case unless at its end there are as many descriptors as at its start, and no child, not even a
/// zombie.
class NothingLeft {
  public:
    NothingLeft();
    ~NothingLeft();
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;

  private:
    std::size_t before_;
};

/// A spawner and what it made. At its end every process that it spawned is ended with its process group,
/// whether the case came that far or not.
class SpawnBench {
  public:
    explicit SpawnBench(const std::function<void(SpawnerOptions&)>& adjust = {});
    ~SpawnBench();
    SpawnBench(const SpawnBench&) = delete;
    SpawnBench& operator=(const SpawnBench&) = delete;

    /// A spec to be changed and spawned; named "task", its output goes where the test's goes.
    [[nodiscard]] static core::TaskSpec spec(const std::vector<std::string>& command);
    /// `/bin/sh -c script`
    [[nodiscard]] static core::TaskSpec shell(const std::string& script);

    /// Submits and gives the generation.
    core::Generation submit(core::TaskSpec spec, std::optional<Invocation> invocation = {},
                            pid_t* record = nullptr, std::optional<Auxiliary> auxiliary = {});
    /// The outcome of a generation, waited for.
    [[nodiscard]] SpawnOutcome wait_for(core::Generation generation);
    [[nodiscard]] bool has_outcome(core::Generation generation);
    [[nodiscard]] SpawnOutcome spawn(core::TaskSpec spec) { return wait_for(submit(std::move(spec))); }
    /// Waits for the end of a process that was spawned.
    [[nodiscard]] core::ExitStatus end_of(const SpawnOutcome& outcome);
    /// Spawns, expects success and an exit code of 0.
    void run(core::TaskSpec spec);

    [[nodiscard]] Spawner& spawner() { return *spawner_; }
    [[nodiscard]] const Spawner& spawner() const { return *spawner_; }
    [[nodiscard]] const TempDir& directory() const { return directory_; }

  private:
    NothingLeft nothing_left_;
    TempDir directory_;
    std::unique_ptr<Spawner> spawner_;
    std::vector<SpawnOutcome> taken_;
    struct Spawned {
        pid_t pid;
        UniqueFd pidfd;
    };
    std::vector<Spawned> spawned_;
    std::uint64_t last_generation_ = 0;
};

/// Ends and reaps the process of an outcome.
void finish_off(SpawnOutcome& outcome);

}  // namespace vigil::os::test
