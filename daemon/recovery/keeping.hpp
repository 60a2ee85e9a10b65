// Layer daemon. What the keeper holds for us: the descriptors that must outlive this daemon. Without a keeper
// (its program is missing, it cannot be started) everything works but for that: a task whose daemon is killed
// gets EPIPE from its output, and what it said meanwhile is lost. KeeperCare replaces one that dies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "core/state.hpp"
#include "keeper/client.hpp"
#include "linux/socket/unix_listener.hpp"
#include "linux/spawn/spawner.hpp"
#include "logger.hpp"
#include "output/transfer_notes.hpp"

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
    [[nodiscard]] UniqueFd take_notes() { return std::move(notes_); }
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
        // clang-tidy 14 takes the comparison with 0 that the compiler makes for ours.
        auto operator<=>(const RunKey&) const = default;  // NOLINT(modernize-use-nullptr)
    };
    struct Held {
        UniqueFd fd;
        std::string notify_path;  ///< of a notify socket: where it is bound
    };
    std::map<RunKey, Held> runs_;
    UniqueFd control_;
    UniqueFd notes_;
};

/// A keeper that was reached, and started for that if need be. Ends one that was started and is not taken.
class ReachedKeeper {
  public:
    /// May wait some seconds for a keeper that does not answer; any thread may do so.
    [[nodiscard]] static Result<ReachedKeeper> reach(const os::InstanceLock& lock, const std::string& socket);
    ReachedKeeper(ReachedKeeper&&) noexcept = default;
    ReachedKeeper& operator=(ReachedKeeper&&) = delete;
    ~ReachedKeeper();

  private:
    friend class Keeping;
    ReachedKeeper() = default;
    std::shared_ptr<keeper::Client> client_;
    pid_t pid_ = 0;
    UniqueFd child_;  ///< pidfd of a keeper that was started
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
    /// The notes of what is being written to logs, those of the daemon before this one in them; held from now
    /// on. Null where there can be none.
    [[nodiscard]] std::shared_ptr<output::TransferNotes> hold_notes(Kept& kept);
    /// Thread-safe.
    void let_go(KeptKind kind, std::string_view task, core::Generation run) const;
    void let_go(const std::string& key) const;

    /// Of the keeper that was there at the start; nothing where there was none, or it is gone.
    [[nodiscard]] std::optional<pid_t> keeper_pid() const;

    /// Nothing is to outlive this daemon: the keeper ends.
    void end();

    // A keeper that has died, and the one in its place (KeeperCare). For the main thread.
    [[nodiscard]] const std::string& socket() const noexcept { return socket_; }
    /// Of the connection: becomes readable when the keeper is gone. -1: there is none.
    [[nodiscard]] int connection() const;
    /// The keeper is gone. Gives the pidfd of the process, if it was started here, to be reaped.
    [[nodiscard]] UniqueFd lose();
    /// What is held from now on is held by this one; it has the notes already.
    void take(ReachedKeeper&& keeper);
    /// Counts the keepers. What was held while there was another may not be with the present one.
    [[nodiscard]] std::uint64_t keeper() const noexcept { return keeper_; }
    enum class Put : std::uint8_t {
        done,
        later,  ///< it is behind
        never,  ///< it is gone
    };
    /// Does not wait. A descriptor of -1 is nothing to hold.
    [[nodiscard]] Put put_again(KeptKind kind, std::string_view task, core::Generation run, int fd) const;

  private:
    Keeping(std::string socket, std::shared_ptr<spdlog::logger> log)
        : socket_(std::move(socket)), log_(std::move(log)) {}
    [[nodiscard]] std::shared_ptr<keeper::Client> client() const;
    void put(const std::string& key, int fd) const;
    [[nodiscard]] Put put_once(const std::string& key, int fd) const;

    const std::string socket_;
    std::shared_ptr<spdlog::logger> log_;
    mutable std::mutex mutex_;                ///< of the next: threads that spawn use it as it is replaced
    std::shared_ptr<keeper::Client> client_;  ///< null: there is no keeper
    pid_t pid_ = 0;                           ///< of the keeper
    UniqueFd child_;                          ///< pidfd of a keeper that we started
    UniqueFd notes_;
    std::uint64_t keeper_ = 0;
    bool begun_ = false;
};

}  // namespace vigil::daemon
