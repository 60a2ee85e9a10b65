// Layer daemon. What the next daemon is to know of every task, kept in the state table and the spec store
// beside it. Where these cannot be made (a full disk) the tasks run all the same, and are lost with this
// daemon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/engine.hpp"
#include "linux/spawn/spawner.hpp"
#include "logger.hpp"
#include "paths.hpp"
#include "state/specs.hpp"
#include "state/table.hpp"

namespace vigil::daemon {

/// What a daemon before this one has left.
struct Leftovers {
    std::vector<state::Found> found;
    std::unordered_map<std::uint64_t, state::StoredSpec> specs;  ///< by id
    bool incomplete = false;  ///< there was more that cannot be read any more
};

class RecordBook final : public core::RecordPort {
  public:
    struct Opened {
        std::unique_ptr<RecordBook> book;
        Leftovers leftovers;
    };
    /// Opens or makes the state table and the spec store, and says what it found damaged. Only for the holder
    /// of the instance lock.
    [[nodiscard]] static Opened open(const Directories& directories, std::shared_ptr<spdlog::logger> log);
    RecordBook(const RecordBook&) = delete;
    RecordBook& operator=(const RecordBook&) = delete;
    /// A daemon that did not come to its first task leaves no files of its own.
    ~RecordBook() override;

    /// Says of a task whether it comes from the configuration. To be set before the first write.
    void look_up_origins(std::function<state::SpecOrigin(const std::string& task)> origin_of) {
        origin_of_ = std::move(origin_of);
    }

    /// Whether there is anything that a successor could go on from.
    [[nodiscard]] bool is_kept() const noexcept { return table_.has_value() && !said_; }

    void write(core::TaskId task, const core::TaskRecord& record, const core::SpecPtr& spec) override;
    void erase(core::TaskId task) override;

    /// Writes a record for a run that there was none of, as if it had been found.
    [[nodiscard]] state::Found enter(state::Record record, pid_t pid);
    /// A task goes on in the place where it was found, under this spec; null where the one that its record
    /// names cannot be read, and the one that it goes on with is to be stored.
    void adopt(core::TaskId task, const state::Found& found, core::SpecPtr spec);
    /// A record is of nobody any more.
    void drop(const state::Found& found);
    /// After everything is adopted: forgets the specs that nobody runs with.
    void settle();

    /// Of the run that was written last; it is drawn when that run's first record is written. Nothing for a
    /// task without a record.
    [[nodiscard]] std::optional<os::Invocation> invocation(core::TaskId task) const;
    /// Where the kernel is to put the pid of that run; null for a task without a record.
    [[nodiscard]] pid_t* pid_word(core::TaskId task);
    /// By what the process of that run is found again; takes effect with the next write.
    struct Marks {
        std::uint64_t inode = 0;
        std::uint64_t start_time = 0;
        uid_t uid = 0;
        bool cgroup = false;
        std::string notify_path;
    };
    void identify(core::TaskId task, Marks marks);

    /// Nothing runs any more: both files are removed.
    void close();
    /// Nothing is to be known any more but these runs, which go on.
    void leave(const std::vector<std::pair<core::TaskId, core::TaskRecord>>& runs);

  private:
    struct Entry {
        state::SlotId slot{};
        core::Generation generation{};
        core::SpecPtr spec;  ///< that `spec_id` stands for
        std::uint64_t spec_id = 0;
        state::RunIdentity run;
    };
    explicit RecordBook(std::shared_ptr<spdlog::logger> log) : log_(std::move(log)) {}
    [[nodiscard]] Entry* entry_of(core::TaskId task);
    void store_spec(const core::SpecPtr& spec, Entry& entry);
    void say_once(const Error& error);

    std::shared_ptr<spdlog::logger> log_;
    std::optional<state::Table> table_;
    std::optional<state::SpecStore> specs_;
    std::function<state::SpecOrigin(const std::string&)> origin_of_;
    std::unordered_map<core::TaskId, Entry> entries_;
    bool holds_nothing_ = false;  ///< nor was there anything when it was opened
    bool said_ = false;
};

}  // namespace vigil::daemon
