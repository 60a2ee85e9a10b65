// Layer daemon. What the keeper holds for us: the descriptors that must outlive this daemon. Without a keeper
// (its program is missing, it cannot be started) everything works but for that: a task whose daemon is killed
// gets EPIPE from its output, and what it said meanwhile is lost.
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "core/state.hpp"
#include "keeper/client.hpp"
#include "linux/spawner.hpp"
#include "linux/unix_listener.hpp"

namespace vigil::daemon {

/// One descriptor of a run. These letters stand in keys, which go from one version to the next.
enum class KeptKind : char { notify = 'n', heartbeat = 'h', output = 'o', error_output = 'e' };

/// What a daemon before this one had put there.
class Kept {
  public:
    void add(const std::string& key, UniqueFd fd);
    /// Empty: it was not there.
    [[nodiscard]] UniqueFd take(KeptKind kind, std::string_view task, core::Generation run);
    [[nodiscard]] UniqueFd take_control() { return std::move(control_); }
    /// Runs of the task, by age, of whose output something is left here.
    [[nodiscard]] std::vector<core::Generation> runs_with_output(std::string_view task) const;
    /// Where notify sockets are bound that are here.
    [[nodiscard]] std::vector<std::string> notify_paths() const;
    /// That of one run; empty: there is none.
    [[nodiscard]] std::string notify_path(std::string_view task, core::Generation run) const;
    /// Tasks of which anything is here.
    [[nodiscard]] std::vector<std::string> tasks() const;
    /// Keys of what nobody took.
    [[nodiscard]] std::vector<std::string> left() const;

  private:
    struct RunKey {
        std::string task;
        core::Generation run{};
        KeptKind kind{};
        auto operator<=>(const RunKey&) const = default;
    };
    std::map<RunKey, UniqueFd> runs_;
    UniqueFd control_;
};

class Keeping {
  public:
    struct Opened {
        std::unique_ptr<Keeping> keeping;
        Kept kept;
    };
    /// Finds the keeper of `<runtime_dir>/keeper.sock`, or starts one.
    [[nodiscard]] static Opened open(const os::InstanceLock& lock, const std::string& runtime_dir,
                                     const os::Features& features, std::shared_ptr<spdlog::logger> log);
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;
    /// Where nothing has begun, a keeper that was started here ends with this.
    ~Keeping();
    /// There may be something to keep from now on.
    void begin() noexcept { begun_ = true; }

    /// Before the child of a spawn exists. Thread-safe; waits a moment for a keeper that is behind, then goes
    /// on without it.
    void hold(const os::SpawnJob& job, const os::RunDescriptors& descriptors) const;
    void hold_control(int fd) const;
    /// Thread-safe.
    void let_go(KeptKind kind, std::string_view task, core::Generation run) const;
    void let_go(const std::string& key) const;

    /// Of the keeper that was there at the start; nothing where there was none, or it is gone.
    [[nodiscard]] std::optional<pid_t> keeper_pid() const;

    /// Nothing is to outlive this daemon: the keeper ends.
    void end();

  private:
    explicit Keeping(std::shared_ptr<spdlog::logger> log) : log_(std::move(log)) {}
    [[nodiscard]] Result<void> connect(const os::InstanceLock& lock, const std::string& socket);
    void put(const std::string& key, int fd) const;

    std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<keeper::Client> client_;  ///< null: there is no keeper
    pid_t pid_ = 0;                           ///< of the keeper
    UniqueFd child_;                          ///< pidfd of a keeper that we started
    bool begun_ = false;
};

}  // namespace vigil::daemon
