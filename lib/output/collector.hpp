// Layer output. What tasks print, from their pipes to their logs.
//
// The pipes are read in threads with a descriptor table of their own, so that output takes nothing of the
// daemon's limit, and so that neither the loop nor another task waits for a disk: a thread that is held up in
// a write is left there, and another goes on. Nothing here decides what becomes of a task.
//
// Raw output is moved by tee(2) and splice(2), pipe to pipe to file, and not looked at. The pipe in between
// is the thread's own: the task's pipe is never locked during a write, so that a disk that hangs cannot hang
// the task with it. Formatted output is read through tee(2). Both leave the task's pipe only when they are
// written, so a daemon that is killed loses nothing of what is in the pipe. How far a write came that was cut
// off by the kill, the next collector learns from the log and from CollectorOptions::notes, and goes on
// behind it. Lost is only what was taken out of the way of a task whose disk hangs.
//
// A log belongs to one task from the first thing that is printed into it until forget(); a second task with
// the same path is refused like a path that is no regular file. A task that prints nothing has no log.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"

namespace vigil::output {

class TransferNotes;

/// The read end of one stream of one run.
struct Source {
    core::TaskId task{};
    core::Generation generation{};
    core::OutputStream stream = core::OutputStream::out;
    core::SpecPtr spec;
    pid_t pid = 0;     ///< for formatted lines
    std::string path;  ///< of the log, absolute; see core::log_path()
    UniqueFd pipe;     ///< made non-blocking
};

/// Of all runs of a task since the daemon started. Monotonic but for `fault`.
struct Tally {
    std::uint64_t written = 0;  ///< bytes taken from the task and put into its log
    std::uint64_t dropped = 0;  ///< bytes taken and lost
    std::uint64_t dropped_lines = 0;
    /// Why nothing can be written now, with the path: "/var/log/vigil/api.log: No space left on device", "log
    /// held up: /var/log/vigil/api.log"; empty: all is well.
    std::string fault;
};

/// The last that a run printed; comes once for each run that finish() was called for. Read back from the log:
/// a run whose output was dropped has none, or those before. Of a run with two logs stderr's lines come last.
struct LastWords {
    core::TaskId task{};
    core::Generation generation{};
    std::vector<std::string>
        lines;  ///< as printed, without newlines or what a format adds; at most kLastLines of kLastLineBytes
};
inline constexpr std::size_t kLastLines = 10;
inline constexpr std::size_t kLastLineBytes = 256;

/// For the owner's log, once for each fault and each recovery: "api: /var/log/vigil/api.log: No space left on
/// device; output is dropped", "... written again; 123456 bytes were lost".
struct Message {
    bool fault = false;
    std::string text;
};

/// A pipe that the threads have, and a descriptor for it in the caller's table.
struct ShownPipe {
    std::uint64_t number = 0;  ///< by age
    std::string task;          ///< its name
    core::Generation generation{};
    core::OutputStream stream = core::OutputStream::out;
    UniqueFd pipe;
};

/// Behind the pipes that came of one show_pipes().
struct Showing {
    std::uint64_t up_to = 0;  ///< where the next is to go on
    bool all = false;         ///< there are no others at present
};

/// What has come from the threads. They have descriptors of their own, so they can call nobody back. Whoever
/// deals with `shown` before `last_words` never does so for a run of which he had the last words before.
struct News {
    std::vector<ShownPipe> shown;
    std::optional<Showing> showing;
    std::vector<LastWords> last_words;
    std::vector<Message> messages;
};
/// So many descriptors one show_pipes() costs the caller at most.
inline constexpr std::size_t kShownAtOnce = 64;

struct CollectorOptions {
    /// Directories of logs that are missing are made, 0750; logs are 0640. Both get this group.
    gid_t group = static_cast<gid_t>(-1);  ///< -1: as it comes
    unsigned threads = 2;
    /// As many more are started while others are held up in a write.
    unsigned max_threads = 16;
    /// A task whose log is held up for longer is no longer waited for once its pipe is full: what is in it is
    /// dropped, and counted, until the write returns. Then what was being written is completed, and a mark of
    /// the loss follows.
    std::chrono::milliseconds stall_limit{1000};
    /// After a failure the log is tried again this often.
    std::chrono::milliseconds retry_every{1000};
    /// A line of formatted output that has not ended is written after this time, or at kMostLineBytes.
    std::chrono::milliseconds partial_line_after{2000};
    /// What is being written is noted here, and what a collector before this one left is gone on with; null:
    /// no notes.
    std::shared_ptr<TransferNotes> notes;
};
inline constexpr std::size_t kMostLineBytes = 16 * 1024;

/// All calls are thread-safe and none waits for a disk or a task.
class Collector {
  public:
    /// To be made by the main thread before tasks are started.
    [[nodiscard]] static Result<std::unique_ptr<Collector>> create(CollectorOptions options);
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;
    /// Moves what is still in the pipes, for at most two seconds, and ends the threads. One that hangs in a
    /// write is left behind; it touches nothing but its own.
    ~Collector();

    /// Takes the source over. Failure: it could not be handed to the threads (EMFILE, ENFILE); the pipe is
    /// closed, and the task will see EPIPE.
    [[nodiscard]] Result<void> attach(Source source);
    /// While held the threads do not hear of what is attached, nor of anything else: a daemon that takes over
    /// thousands of runs has better uses for the processors than their logs. rest() ends it. Pipes are handed
    /// over several at a time, the last with the next call; one that cannot be is told of by a Message then.
    void hold(bool held);
    /// Nothing of the run lives any more: what is in its pipes is moved, whoever may hold a write end still,
    /// and LastWords follow.
    void finish(core::TaskId task, core::Generation generation);
    /// The task is gone for good: its tally is forgotten once its runs are finished.
    void forget(core::TaskId task);
    /// Looks after every log at once: closes and opens it again, as after a move by a log rotation of others.
    void reopen();

    /// Asks for the pipes that were attached after number `after`, as far as they are not at their end, in
    /// the order of their numbers. They come with the news, kShownAtOnce of them or fewer, and then where to
    /// go on.
    void show_pipes(std::uint64_t after);

    /// For an exec, which ends the threads: returns when no thread moves anything, nor will before go_on().
    /// False: a disk holds one up for longer than the limit.
    [[nodiscard]] bool rest(std::chrono::milliseconds limit);
    void go_on();

    [[nodiscard]] Tally tally(core::TaskId task) const;

    /// Appends what is there since the last call, and makes readable_fd() unreadable.
    void take_news(News& out);
    [[nodiscard]] int readable_fd() const noexcept;

  private:
    struct Shared;
    explicit Collector(std::shared_ptr<Shared> shared) noexcept;
    std::shared_ptr<Shared> shared_;
};

}  // namespace vigil::output
