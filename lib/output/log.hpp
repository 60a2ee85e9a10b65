// Layer output. One log: its present file, when that gets too big or too old, what is wrong with it, and what
// was lost meanwhile. It outlives the runs that print into it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/spec.hpp"
#include "core/time.hpp"
#include "output/compressor.hpp"
#include "output/log_file.hpp"
#include "output/losses.hpp"
#include "output/tally_cell.hpp"
#include "output/time_index.hpp"

namespace vigil::output {

class Log;

/// What all logs have in common; outlives them.
struct LogSurroundings {
    gid_t group = static_cast<gid_t>(-1);
    core::Duration retry_every{};
    std::function<void(bool fault, const std::string& message)> say;
    /// Makes the log the only one of its path. Empty: it is; else the name of the task that has it.
    std::function<std::string(Log&)> claim;
    Compressor compressor;
};

/// A place in a log.
struct LogPlace {
    std::uint64_t file = 0;  ///< counts the files of this log since the daemon started
    std::uint64_t offset = 0;
};

/// A worker has it to itself, and may wait for a disk in every call, but for what is marked as shared.
class Log {
  public:
    Log(std::string path, core::OutputStream stream, core::SpecPtr spec, LogSurroundings& surroundings);

    // Shared.
    [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
    [[nodiscard]] const std::string& owner() const noexcept { return owner_; }
    void set_cell(std::shared_ptr<TallyCell> cell);
    void want_reopen() noexcept { reopen_wanted_ = true; }
    /// Its worker is held up: what comes is lost until the worker is back.
    void hold_up();
    /// When the worker last got on.
    [[nodiscard]] core::TimePoint progress() const noexcept { return core::TimePoint(progress_.load()); }
    void touch() noexcept { progress_ = core::TimePoint::clock::now().time_since_epoch(); }

    /// To be held by whoever takes from the pipes of this log, and for nothing that may wait for a disk.
    std::mutex take;
    // Under `take`:
    bool held = false;  ///< others take from the pipes
    Losses losses;      ///< not yet reported in the log

    // The worker's.
    /// Begins a turn: looks whether the file is still in its place.
    void begin_turn(const core::SpecPtr& spec);
    /// Whether something can be written now. Opens the file, tries again what failed where it is time to, and
    /// then puts the mark of what was lost.
    [[nodiscard]] bool writable();
    void fail(const std::string& reason, int code = 0);
    /// What is left of the present file, and how much more a line may take to end. The first is 0 where a new
    /// file is due, and without bound where none can be begun.
    [[nodiscard]] std::uint64_t room() const;
    [[nodiscard]] std::uint64_t beyond() const;
    [[nodiscard]] bool at_line_start() const { return file_.at_line_start(); }
    void begin_new_file();
    /// Where the present file is due by its age alone and ends with a line.
    void begin_new_file_by_age();
    [[nodiscard]] Written write(std::string_view text);
    [[nodiscard]] Written splice_from(int pipe, std::size_t size);
    /// Which file it is, device and inode.
    [[nodiscard]] std::pair<dev_t, ino_t> file() const noexcept { return file_.identity(); }
    void cut_back_to(std::uint64_t size) noexcept { file_.cut_back_to(size); }
    [[nodiscard]] std::uint64_t size() const noexcept { return file_.size(); }
    [[nodiscard]] const core::OutputRule& rule() const noexcept { return spec_->launch->output; }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    /// Failed, or with losses to report.
    [[nodiscard]] bool has_trouble();
    [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }
    [[nodiscard]] LogPlace here() const noexcept { return {files_, file_.size()}; }
    [[nodiscard]] std::vector<std::string> last_words(const LogPlace& since) const;
    /// When a turn is due though nothing comes.
    [[nodiscard]] core::TimePoint due() const;
    void close() noexcept { file_.close(); }

  private:
    [[nodiscard]] Result<void, std::string> open();
    [[nodiscard]] bool report_losses();
    void recovered();
    void note_time();
    void announce(const std::string& fault);
    [[nodiscard]] std::string reason() const;
    [[nodiscard]] std::string text_since(const LogPlace& since, std::size_t most, bool& whole) const;
    [[nodiscard]] core::TimePoint too_old_at() const;

    LogFile file_;
    const core::OutputStream stream_;
    const std::string owner_;
    core::SpecPtr spec_;
    LogSurroundings& around_;
    std::atomic<core::Duration> progress_{};
    std::atomic<bool> reopen_wanted_ = false;

    mutable std::mutex fault_mutex_;  // of the next two
    std::string reason_;              // empty: all is well
    std::shared_ptr<TallyCell> cell_;
    bool failed_ = false;  // by the worker itself, so it is tried again only now and then
    core::TimePoint retry_at_{};
    Losses lost_;  // reported, of this fault

    bool claimed_ = false;
    bool opened_before_ = false;
    std::uint64_t files_ = 0;
    std::string last_part_;
    std::optional<std::uint64_t> number_;  // of the present file; looked up only when it is needed
    core::TimePoint looked_at_{};
    core::TimePoint began_at_{};
    core::TimePoint new_file_not_before_{};
    bool cannot_be_put_aside_ = false;
    MarkPace pace_;
};

}  // namespace vigil::output
